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
