import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store, StoreChange } from '../platform/platform.js';
import { settle, type TestPlatform, testPlatform } from '../testing/platform.js';
import { createWriteQueue, type WriteQueue } from './outbox-queue.js';

interface World {
  platform: TestPlatform;
  queue: WriteQueue;
  /** Writes that were begun, each ended by the test. */
  writes: { change: StoreChange; end(result?: boolean | Error): Promise<void> }[];
  failures: string[];
  begin(): Promise<void>;
}

function setUp(hasStore = true): World {
  const platform = testPlatform();
  const writes: World['writes'] = [];
  const failures: string[] = [];
  let begin = (): void => {};
  const ready = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const write: Store['write'] = (change) =>
    new Promise((resolve, reject) => {
      const end = (result: boolean | Error = true): Promise<void> => {
        if (result instanceof Error) reject(result);
        else resolve(result);
        return settle();
      };
      writes.push({ change, end });
    });
  const queue = createWriteQueue({
    store: hasStore ? ({ write } as Store) : undefined,
    ready,
    after: platform.after,
    failed: (error) => void failures.push(String(error)),
  });
  return {
    ...{ platform, queue, writes, failures },
    begin() {
      begin();
      return settle();
    },
  };
}

/** Whether a promise has settled. */
async function isOver(promise: Promise<unknown>): Promise<boolean> {
  let over = false;
  void promise.then(() => {
    over = true;
  });
  await settle();
  return over;
}

test('outbox queue: the changes of one task are one transaction, those of the next another', async () => {
  const { queue, writes, begin } = setUp();
  await begin();
  queue.change(['a'], 1);
  queue.change(['b'], undefined);
  queue.change(['c'], 0);
  assert.equal(writes.length, 0, 'begun in the middle of the task');
  await settle();
  queue.change(['d'], 4);
  await settle();
  assert.deepEqual(
    writes.map(({ change }) => change),
    [
      {
        puts: [
          [['a'], 1],
          [['c'], 0],
        ],
        deletes: [['b']],
      },
      { puts: [[['d'], 4]], deletes: [] },
    ],
  );
});

test('outbox queue: the last word on a key counts, and all who spoke hear of it', async () => {
  const { queue, writes, begin } = setUp();
  await begin();
  const heard: string[] = [];
  queue.change(['a'], 1, (written) => void heard.push(`first ${written}`));
  queue.change(['a'], 2);
  queue.change(['a'], undefined, (written) => void heard.push(`last ${written}`));
  queue.change(['b'], undefined);
  queue.change(['b'], 3);
  await settle();
  assert.deepEqual(
    writes.map(({ change }) => change),
    [{ puts: [[['b'], 3]], deletes: [['a']] }],
  );
  assert.deepEqual(heard, []);
  await writes[0]?.end();
  assert.deepEqual(heard, ['first true', 'last true']);
});

test('outbox queue: nothing is written before it is ready, unless the page leaves, and then once', async () => {
  const { queue, writes, begin } = setUp();
  queue.change(['a'], 1);
  await settle();
  assert.equal(writes.length, 0);
  queue.flush();
  assert.equal(writes.length, 1, 'not in this task');
  queue.flush();
  await begin();
  assert.equal(writes.length, 1);
  queue.change(['b'], 2);
  await settle();
  assert.deepEqual(writes[1]?.change.puts, [[['b'], 2]]);
});

test('outbox queue: a failure is reported once and heard by all, and the next transaction goes on', async () => {
  const { queue, writes, failures, begin } = setUp();
  await begin();
  const heard: boolean[] = [];
  queue.change(['a'], 1, (written) => void heard.push(written));
  queue.change(['b'], 1, (written) => void heard.push(written));
  const settled = queue.settled();
  await settle();
  await writes[0]?.end(new Error('QuotaExceededError'));
  assert.deepEqual(heard, [false, false]);
  assert.deepEqual(failures, ['Error: QuotaExceededError']);
  assert.equal(await isOver(settled), true);
  queue.change(['c'], 1, (written) => void heard.push(written));
  await settle();
  await writes[1]?.end();
  assert.deepEqual(heard, [false, false, true]);
});

test('outbox queue: whoever waits does so until it is written, or for a second', async () => {
  const { platform, queue, writes, begin } = setUp();
  await begin();
  assert.equal(await isOver(queue.settled()), true, 'nothing to wait for');
  const heard: boolean[] = [];
  queue.change(['a'], 1, (written) => void heard.push(written));
  const settled = queue.settled();
  await platform.advance(999);
  assert.equal(await isOver(settled), false);
  assert.equal(await isOver(queue.settled()), false, 'begun, and not settled');
  await platform.advance(1);
  assert.equal(await isOver(settled), true);
  assert.deepEqual(heard, []);
  await writes[0]?.end();
  assert.deepEqual(heard, [true], 'a late result counts');
  assert.equal(platform.loose.timers, 0);
});

test('outbox queue: a quick transaction leaves no timer', async () => {
  const { platform, queue, writes, begin } = setUp();
  await begin();
  queue.change(['a'], 1);
  await settle();
  await writes[0]?.end();
  assert.equal(await isOver(queue.settled()), true);
  assert.equal(platform.loose.timers, 0);
});

for (const [name, result, expected] of [
  ['is there', true, true],
  ['is not there', false, false],
  ['may be there, the database fails', new Error('planted'), undefined],
] as const) {
  test(`outbox queue: a put beside a record that ${name}`, async () => {
    const { queue, writes, failures } = setUp();
    const answer = queue.putIfPresent(['blob'], ['state'], 1);
    assert.deepEqual(writes[0]?.change, { puts: [[['state'], 1]], ifPresent: ['blob'] });
    await writes[0]?.end(result);
    assert.equal(await answer, expected);
    assert.equal(failures.length, result instanceof Error ? 1 : 0);
  });
}

test('outbox queue: a put beside a record is waited for for a second', async () => {
  const { platform, queue } = setUp();
  const answer = queue.putIfPresent(['blob'], ['state'], 1);
  await platform.advance(999);
  assert.equal(await isOver(answer), false);
  await platform.advance(1);
  assert.equal(await answer, undefined);
});

test('outbox queue: without a database everybody hears so at once', async () => {
  const { queue, failures } = setUp(false);
  const heard: boolean[] = [];
  queue.change(['a'], 1, (written) => void heard.push(written));
  assert.deepEqual(heard, [false]);
  queue.flush();
  assert.equal(await isOver(queue.settled()), true);
  assert.equal(await queue.putIfPresent(['a'], ['b'], 1), undefined);
  assert.deepEqual(failures, []);
});

const deletesOf = ({ writes }: World, from = 0): string[][] =>
  writes.slice(from).map(({ change }) => (change.deletes ?? []).map((key) => key.join('/')));

test('outbox queue: a delete that failed is tried again before the next transaction, in one of its own', async () => {
  const world = setUp();
  const { queue, writes, begin } = world;
  await begin();
  queue.change(['a'], undefined);
  await settle();
  assert.deepEqual(queue.undeleted(), [['a']], 'not known to be gone');
  await writes[0]?.end(new Error('planted'));
  assert.deepEqual(queue.undeleted(), [['a']]);
  queue.change(['b'], 1);
  await settle();
  assert.deepEqual(
    writes.slice(1).map(({ change }) => change),
    [
      { puts: [], deletes: [['a']] },
      { puts: [[['b'], 1]], deletes: [] },
    ],
  );
  await writes[1]?.end(new Error('planted'));
  queue.flush();
  assert.deepEqual(
    deletesOf(world, 3),
    [['a']],
    'as often as it takes, also when there is nothing else to write',
  );
  await writes[3]?.end();
  queue.flush();
  assert.equal(writes.length, 4);
  assert.deepEqual(queue.undeleted(), []);
});

for (const [name, outcome] of [
  ['is written at last', 'put'],
  ['is given up', 'delete'],
] as const) {
  test(`outbox queue: what a put should have replaced stays until that ${name}`, async () => {
    const world = setUp();
    const { queue, writes, begin } = world;
    await begin();
    queue.change(['blob'], 1);
    queue.change(['spans'], undefined);
    await settle();
    await writes[0]?.end(new Error('planted'));
    queue.change(['other'], 1);
    await settle();
    assert.equal(writes.length, 2);
    await writes[1]?.end();
    assert.deepEqual(queue.undeleted(), [['spans']]);
    queue.change(['blob'], outcome === 'put' ? 1 : undefined);
    await settle();
    await writes[2]?.end();
    queue.flush();
    assert.deepEqual(deletesOf(world, 2), outcome === 'put' ? [[], ['spans']] : [['spans'], ['blob']]);
  });
}

test('outbox queue: a delete that failed is not tried again when the key has been written since', async () => {
  for (const isLate of [false, true]) {
    const { queue, writes, begin } = setUp();
    await begin();
    queue.change(['a'], undefined);
    await settle();
    if (!isLate) await writes[0]?.end(new Error('planted'));
    queue.change(['a'], 1);
    await settle();
    await writes[1]?.end();
    if (isLate) await writes[0]?.end(new Error('planted'));
    queue.flush();
    assert.equal(writes.length, 2);
    assert.deepEqual(queue.undeleted(), []);
  }
});

test('outbox queue: a delete is tried again whenever its key’s earlier put ends, and whatever ends late', async () => {
  const world = setUp();
  const { queue, writes, begin } = world;
  await begin();
  queue.change(['blob'], 1);
  queue.change(['spans'], undefined);
  await settle();
  queue.change(['blob'], undefined);
  await settle();
  await writes[0]?.end(new Error('planted'));
  queue.flush();
  assert.deepEqual(deletesOf(world, 2), [['spans']], 'the blob is given up already');
  assert.deepEqual(queue.undeleted(), [['blob'], ['spans']]);
  await writes[1]?.end(new Error('planted'));
  queue.flush();
  assert.deepEqual(deletesOf(world, 3), [['blob']]);
});

test('outbox queue: what a database does not delete is remembered within bounds', async () => {
  const { queue, writes, begin } = setUp();
  await begin();
  for (let index = 0; index < 1_100; index++) queue.change([String(index)], undefined);
  await settle();
  await writes[0]?.end(new Error('planted'));
  assert.deepEqual([queue.undeleted().length, queue.undeleted()[0]], [1_000, ['100']]);
});

test('outbox queue: without a database nothing is left in it', () => {
  const { queue } = setUp(false);
  queue.change(['a'], undefined);
  assert.deepEqual(queue.undeleted(), []);
});
