import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ListOptions, StoredObject } from '../server/storage.js';
import { testBucket, traceKey } from '../testing/bucket.js';
import { folderAt, folderOf } from './folder.js';
import { listChunks, type Scope } from './listing.js';

const SCOPE: Scope = {
  ...{ prefix: 'otlp/v1', project: undefined, environment: undefined },
  ...{ fromMillis: 0, untilMillis: Number.POSITIVE_INFINITY },
};
const AT = Date.UTC(2026, 10, 21, 3, 4);

async function keysOf(
  list: (prefix: string, options?: ListOptions) => Promise<{ objects: StoredObject[]; cursor?: string }>,
): Promise<string[]> {
  const keys: string[] = [];
  const storage = { ...testBucket().view(), list };
  for await (const { objects } of listChunks(storage, SCOPE)) keys.push(...objects.map(({ key }) => key));
  return keys;
}

test('listing: a store that answers the same page for ever is not followed, and its objects come once', async () => {
  const page = { objects: [{ key: traceKey(AT, 1), size: 1 }], cursor: 'same' };
  let asked = 0;
  const list = async () => {
    asked += 1;
    return page;
  };
  await assert.rejects(keysOf(list), /lists the same objects again/);
  assert.equal(asked, 2);
});

test('listing: empty pages are followed, but not for ever', async () => {
  let pages = 0;
  const list = async () => {
    pages += 1;
    if (pages <= 50) return { objects: [], cursor: String(pages) };
    return { objects: [{ key: traceKey(AT, 1), size: 1 }] };
  };
  assert.equal((await keysOf(list)).length, 1);
  await assert.rejects(
    keysOf(async () => ({ objects: [], cursor: 'more' })),
    /no progress/,
  );
});

test('listing: folders tell their time, and other folders none', () => {
  const key = traceKey(AT, 1);
  assert.deepEqual(folderOf(key), {
    ...{ path: key.slice(0, key.lastIndexOf('/')), root: 'otlp/v1/shop/production', startsAtMillis: AT },
  });
  assert.equal(folderAt('otlp/v1/shop/production', AT), folderOf(key).path);
  assert.deepEqual(folderOf('otlp/v1/x.json.gz'), { path: 'otlp/v1' });
  assert.deepEqual(folderOf('x'), { path: '' });
});

test('listing: what tells no time counts by when it was stored, wherever the time asked for begins', async () => {
  const undated = traceKey(0, 1);
  const old = traceKey(AT - 86_400_000, 2);
  const recent = traceKey(AT, 3);
  const stored = (key: string, storedAtMillis: number): StoredObject => ({ key, size: 1, storedAtMillis });
  const all = [stored(undated, AT), stored(old, AT - 86_400_000), stored(recent, AT)];
  const list = async (prefix: string, { after = '' }: ListOptions = {}) => ({
    objects: all.filter(({ key }) => key.startsWith(prefix) && key > after),
  });
  const found = async (scope: Partial<Scope>) => {
    const keys: string[] = [];
    for await (const { objects } of listChunks({ ...testBucket().view(), list }, { ...SCOPE, ...scope }))
      keys.push(...objects.map(({ key }) => key));
    return keys;
  };
  assert.deepEqual(folderOf(undated), {
    ...{ path: undated.slice(0, undated.lastIndexOf('/')), root: 'otlp/v1/shop/production' },
  });
  assert.deepEqual(await found({}), [undated, old, recent]);
  for (const scope of [{}, { project: 'shop', environment: 'production' }, { project: 'shop' }]) {
    assert.deepEqual(await found({ ...scope, fromMillis: AT - 60_000 }), [undated, recent]);
    assert.deepEqual(await found({ ...scope, fromMillis: AT + 60_000 }), []);
    assert.deepEqual(await found({ ...scope, untilMillis: AT - 60_000 }), [old]);
  }
});
