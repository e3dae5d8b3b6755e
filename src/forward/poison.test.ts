// Objects that a backend refuses, pass by pass, with the real sender: kinds of refusals are tried in
// `batch-sender.test.ts`. Here: who is to blame where whole batches are refused, by folders, with each way to end.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { StorageError } from '../server/storage.js';
import { testBucket, traceKey } from '../testing/bucket.js';
import { type Answerer, type Backend, backend, gzipped, request, span } from '../testing/forward.js';
import { forwardConsumer } from './consumer.js';
import { runForward } from './forward.js';
import type { ForwardOptions } from './forward-options.js';
import { checkForwardOptions } from './forward-settings.js';

const MINUTE = 60_000;
const START = Math.floor(Date.now() / MINUTE) * MINUTE - 60 * MINUTE;

const servers: Backend[] = [];
after(() => {
  for (const server of servers) server.close();
});

/** So many objects of one span each, of which some are bad, over so many minutes; and a backend that knows which. */
async function setUp(count: number, minutes: number, isBad: (n: number) => boolean, takesEmpty = true) {
  const bucket = testBucket();
  const names = new Map<string, number>();
  for (let n = 0; n < count; n += 1) {
    const one = span(n, n);
    names.set(`${one.traceId}/${one.spanId}`, n);
    const key = traceKey(START + Math.floor((n * minutes) / count) * MINUTE, n);
    bucket.objects.set(key, gzipped(JSON.stringify(request([one]))));
  }
  const answer: Answerer = ({ spans }, response) =>
    response
      .writeHead(
        spans.some((name) => isBad(names.get(name) ?? -1)) || !(spans.length || takesEmpty) ? 400 : 200,
      )
      .end('{}');
  const server = await backend(answer);
  servers.push(server);
  const run = (options: Partial<ForwardOptions> = {}) =>
    runForward(
      checkForwardOptions({
        ...{ storage: bucket.view(), to: { url: server.url, maxRetryMillis: 0 }, after: 'delete' },
        ...options,
      }),
      async () => {},
    );
  return { bucket, server, run };
}

for (const [what, isBad] of [
  ['every second', (n: number) => n % 2 === 0],
  ['the first half', (n: number) => n < 200],
  ['the last half', (n: number) => n >= 200],
] as const)
  for (const minutes of [1, 5])
    for (const after of ['delete', 'keep'] as const)
      test(`forward: 200 of 400 are refused, ${what}, in ${minutes} minutes, ${after}: one pass`, async () => {
        const { bucket, run } = await setUp(400, minutes, isBad);
        const summary = await run({ after });
        assert.deepEqual(
          [summary.ended, summary.sent, summary.quarantined, summary.left],
          ['done', 200, { refused: 200 }, 0],
        );
        assert.ok(summary.requests <= 900, `${summary.requests} requests`);
        assert.equal(bucket.keys('otlp/').length, after === 'keep' ? 200 : 0);
        assert.equal(bucket.keys('quarantine/refused/').length, 400);
        assert.deepEqual(bucket.keys('spandrel-state/leases/'), []);
      });

for (const [what, takesEmpty] of [
  ['everything', false],
  ['everything but what is empty', true],
] as const)
  test(`forward: a backend that refuses ${what} is broken, and nothing is put aside`, async () => {
    const { bucket, run } = await setUp(1_000, 4, () => true, takesEmpty);
    const summary = await run();
    assert.deepEqual([summary.ended, summary.sent, summary.quarantined], ['backend-failed', 0, {}]);
    assert.ok(summary.left >= 250, `${summary.left} left`);
    assert.equal(bucket.keys('otlp/').length, 1_000);
    assert.ok(summary.requests <= 300, `${summary.requests} requests`);
    assert.deepEqual(bucket.keys('spandrel-state/leases/'), []);
    assert.match(summary.message ?? '', /^HTTP 400/);
  });

test('forward: a lone object that is refused is put aside, as long as there are few', async () => {
  const { run } = await setUp(1, 1, () => true);
  assert.deepEqual((await run()).quarantined, { refused: 1 });
  const few = await setUp(5, 1, () => true);
  assert.deepEqual([(await few.run()).quarantined, few.bucket.keys('otlp/').length], [{}, 5]);
});

test('queue consumer: where all of a batch is refused, its messages come again', async () => {
  const { bucket, server } = await setUp(20, 1, () => true);
  const keys = bucket.keys('otlp/');
  const done: string[] = [];
  const messages = keys.map((key) => ({
    body: { action: 'PutObject', bucket: 'b', object: { key, size: 300 } },
    ack: () => void done.push('ack'),
    retry: () => void done.push('retry'),
  }));
  const errors: unknown[] = [];
  const to = { url: server.url };
  const { queue } = forwardConsumer(() => ({
    ...{ storage: bucket.view(), to, after: 'delete' },
    onError: (error) => void errors.push(error),
  }));
  await queue({ messages }, {});
  assert.deepEqual([done, errors.length], [Array(20).fill('retry'), 1]);
});

// Of the kind: our own error of another bundle, a user's plain error, one of another shape; each at the first read, at
// each fiftieth, and always.
class Foreign extends Error {
  httpStatus = 503;
  tooLarge = false;
}
for (const [what, failure] of [
  ['an error of ours', () => new StorageError('down', { httpStatus: 503 })],
  ['an error of another bundle', () => new Foreign('down')],
  ["a user's own error", () => new Error('socket hang up')],
  ['a failed fetch', () => new TypeError('fetch failed')],
] as const) {
  test(`forward: reads that fail in passing with ${what} come again, in the same pass`, async () => {
    const { bucket, run } = await setUp(500, 2, () => false);
    let reads = 0;
    const storage = bucket.view({
      before: (method, key) => {
        if (method === 'get' && key.startsWith('otlp/') && ++reads % 50 === 1) throw failure();
      },
    });
    const summary = await run({ storage });
    assert.deepEqual([summary.ended, summary.sent, summary.skipped], ['done', 500, 0]);
  });

  test(`forward: a store that always fails with ${what} ends the pass, and skips nothing`, async () => {
    const { bucket, run } = await setUp(50, 1, () => false);
    const storage = bucket.view({
      before: (method, key) => {
        if (method === 'get' && key.startsWith('otlp/')) throw failure();
      },
    });
    const summary = await run({ storage });
    assert.deepEqual(
      [summary.ended, summary.sent, summary.skipped, summary.left],
      ['store-failed', 0, 0, 50],
    );
  });
}

test('forward: what is too large by the word of another bundle is put aside', async () => {
  const { bucket, run } = await setUp(3, 1, () => false);
  const storage = bucket.view({
    before: (method, key) => {
      if (method === 'get' && key.startsWith('otlp/'))
        throw Object.assign(new Error('large'), { tooLarge: true });
    },
  });
  assert.deepEqual((await run({ storage })).quarantined, { 'too-large': 3 });
});

test('forward: says how far it has looked back, and what decided that', async () => {
  const { run } = await setUp(0, 1, () => false);
  const now = (): number => START;
  const day = 24 * 60 * MINUTE;
  assert.deepEqual((await run({ now })).window, {});
  assert.deepEqual((await run({ now, after: 'keep' })).window, {
    ...{ fromMillis: START - 7 * day, lookBackMinutes: 10_080 },
  });
  assert.deepEqual((await run({ now, after: 'keep', from: 5, until: 9 })).window, {
    fromMillis: 5,
    untilMillis: 9,
  });
});
