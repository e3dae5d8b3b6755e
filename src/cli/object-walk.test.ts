import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compactedKey, periodOf } from '../compact/period.js';
import { folderOf } from '../forward/folder.js';
import { objectKey } from '../object-key.js';
import type { Storage, StoredObject } from '../server/storage.js';
import { minuteOf, walkObjects } from './object-walk.js';

const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 20, 22, 0);

/** A store whose listings have pages of `pageSize`. */
function pagedStorage(keys: readonly string[], pageSize: number): { storage: Storage; listed: () => number } {
  const sorted = [...keys].sort();
  let count = 0;
  const list: Storage['list'] = async (prefix, { cursor, after = cursor ?? '' } = {}) => {
    count += 1;
    const rest = sorted.filter((key) => key.startsWith(prefix) && key > after);
    const objects: StoredObject[] = rest.slice(0, pageSize).map((key) => ({ key, size: 1 }));
    const last = objects.at(-1)?.key;
    return rest.length > pageSize && last !== undefined ? { objects, cursor: last } : { objects };
  };
  return { storage: { list } as Storage, listed: () => count };
}

async function walk(
  storage: Storage,
  options: { fromMillis?: number; untilMillis?: number },
): Promise<string[]> {
  const found: string[] = [];
  for await (const objects of walkObjects(storage, { prefix: 'otlp/v1', ...options })) {
    found.push(...objects.map(({ key }) => key));
  }
  return found;
}

const keyAt = (project: string, environment: string, minute: number, name: string): string =>
  objectKey({ prefix: 'otlp/v1', environment }, project, START + minute * MINUTE, name);

test('walk: finds exactly what a look at every key finds, whatever the pages', async () => {
  const key = fc
    .tuple(
      fc.constantFrom('a', 'a-b', 'shop', 'z'),
      fc.constantFrom('production', 'staging'),
      fc.integer({ min: 0, max: 300 }),
      fc.constantFrom('1', '2', '3'),
    )
    .map((parts) => keyAt(...parts));
  const time = fc.option(fc.integer({ min: -10, max: 310 }), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(key, { maxLength: 60 }),
      fc.constantFrom(1, 2, 7, 1_000),
      time,
      time,
      async (keys, pageSize, from, until) => {
        const [fromMillis, untilMillis] = [from, until].map((minute) =>
          minute === undefined ? undefined : START + minute * MINUTE,
        );
        const expected = keys
          .filter((one) => {
            const minute = minuteOf(one) ?? Number.NaN;
            return (
              (fromMillis === undefined || minute >= fromMillis) &&
              (untilMillis === undefined || minute < untilMillis)
            );
          })
          .sort();
        const options = {
          ...(fromMillis === undefined ? {} : { fromMillis }),
          ...(untilMillis === undefined ? {} : { untilMillis }),
        };
        assert.deepEqual(await walk(pagedStorage(keys, pageSize).storage, options), expected);
      },
    ),
    { numRuns: 300 },
  );
});

test('walk: what was compacted of an hour or a day is inside as soon as a part of that is', async () => {
  for (const [length, name] of [
    ['minute', 'minute=10/'],
    ['hour', 'hour=22/minute=59/'],
    ['day', 'hour=23/minute=59/'],
  ] as const) {
    const folder = folderOf(keyAt('shop', 'production', 10, 'a'));
    const period = periodOf(folder, length);
    assert.ok(period);
    const key = await compactedKey(period, { stage: 0, isSent: false }, ['a'], '');
    assert.ok(key.includes(name));
    const others = Array.from({ length: 90 }, (_, minute) => keyAt('shop', 'production', minute, 'x'));
    for (const pageSize of [1, 7, 1_000]) {
      const { storage } = pagedStorage([key, ...others, keyAt('z', 'production', 0, 'y')], pageSize);
      const found = async (untilMinute: number): Promise<boolean> =>
        (await walk(storage, { untilMillis: START + untilMinute * MINUTE })).includes(key);
      assert.deepEqual([await found(11), await found(70)], [true, true]);
      assert.equal(await found((period.startsAtMillis - START) / MINUTE), false);
      assert.ok((await walk(storage, { fromMillis: START + 10 * MINUTE })).includes(key));
    }
  }
});

test('walk: an hour of a month costs a few listings for each project', async () => {
  const keys = ['a', 'b'].flatMap((project) =>
    Array.from({ length: 30 * 24 * 60 }, (_, minute) => keyAt(project, 'production', minute, 'x')),
  );
  const { storage, listed } = pagedStorage(keys, 1_000);
  const fromMillis = START + 20 * 24 * 60 * MINUTE;
  const found = await walk(storage, { fromMillis, untilMillis: fromMillis + 60 * MINUTE });
  assert.equal(found.length, 120);
  assert.ok(listed() <= 6, `${listed()} listings`);
});

test('walk: keys without a minute count by when they were written', async () => {
  const list: Storage['list'] = async () => ({
    objects: [
      { key: 'otlp/v1/old.json', size: 1, storedAtMillis: START - 1 },
      { key: 'otlp/v1/new.json', size: 1, storedAtMillis: START },
      { key: 'otlp/v1/unknown.json', size: 1 },
    ],
  });
  const found = await walk({ list } as Storage, { fromMillis: START });
  assert.deepEqual(found, ['otlp/v1/new.json', 'otlp/v1/unknown.json']);
});

test('walk: what tells no time counts by when it was stored', async () => {
  const undated = objectKey({ prefix: 'otlp/v1', environment: 'production' }, 'shop', 0, 'x');
  assert.equal(minuteOf(undated), undefined);
  const objects = [undated, keyAt('shop', 'production', 0, '1'), keyAt('shop', 'production', 60, '2')].map(
    (key): StoredObject => ({ key, size: 1, storedAtMillis: START + 60 * MINUTE }),
  );
  const list: Storage['list'] = async (_prefix, { after = '' } = {}) => ({
    objects: objects.filter(({ key }) => key > after),
  });
  const [, , last = ''] = objects.map(({ key }) => key);
  assert.deepEqual(await walk({ list } as Storage, { fromMillis: START + 60 * MINUTE }), [undated, last]);
  assert.deepEqual(await walk({ list } as Storage, { fromMillis: START + 61 * MINUTE }), []);
});
