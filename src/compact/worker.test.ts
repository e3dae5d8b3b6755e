import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageError } from '../server/storage.js';
import { gzipOf, testBucket, traceKey } from '../testing/bucket.js';
import { request, span } from '../testing/forward.js';
import type { CompactSummary } from './summary.js';
import { compactWorker } from './worker.js';

const AT = Date.UTC(2026, 10, 21, 3);
const now = (): number => AT + 7_200_000;

test('compactWorker: a tick is one pass, with the streams of the runtime, and few objects at a time', async () => {
  const bucket = testBucket();
  for (let index = 0; index < 5; index += 1) {
    bucket.objects.set(traceKey(AT + index, index), gzipOf(JSON.stringify(request([span(index, index)]))));
  }
  const summaries: CompactSummary[] = [];
  const { scheduled } = compactWorker((env: { TRACES: typeof bucket }) => ({
    ...{ storage: env.TRACES.view(), now, concurrency: 6, maxObjects: 2 },
    onSummary: (summary) => summaries.push(summary),
  }));
  for (let tick = 0; tick < 3; tick += 1) await scheduled({}, { TRACES: bucket });
  assert.deepEqual(
    summaries.map(({ written, spans }) => [written, spans]),
    [
      [2, 4],
      [1, 3],
      [1, 5],
    ],
  );
});

test('compactWorker: a store that fails fails the tick, in words', async () => {
  const storage = testBucket().view({
    before: () => {
      throw new StorageError('the store answered GET with 403', { httpStatus: 403 });
    },
  });
  const { scheduled } = compactWorker(() => ({ storage, now }));
  await assert.rejects(scheduled({}, {}), /^Error: spandrel\/compact: the store answered GET with 403$/);
});
