import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyCounts, type ForwardSummary } from '../../forward/summary.js';
import { follow } from './follow.js';

test('follow: waits longer after each failure, as long as the backend asks, and as before once all is well', async () => {
  const stop = new AbortController();
  const ends: Pick<ForwardSummary, 'ended' | 'retryAfterMillis'>[] = [
    { ended: 'done' },
    { ended: 'store-failed' },
    { ended: 'store-failed' },
    { ended: 'backend-busy', retryAfterMillis: 100_000 },
    { ended: 'backend-busy', retryAfterMillis: 3_600_000 },
    { ended: 'done' },
    { ended: 'aborted' },
  ];
  const slept: number[] = [];
  await follow({
    pass: async () => ({
      ...emptyCounts(),
      startedAtMillis: 0,
      durationMillis: 0,
      window: {},
      ...(ends.shift() ?? { ended: 'done' }),
    }),
    onPass: () => ends.length || stop.abort(),
    pauseMillis: 1_000,
    sleep: async (millis) => void slept.push(millis),
    signal: stop.signal,
  });
  assert.deepEqual(slept, [1_000, 2_000, 4_000, 100_000, 300_000, 1_000]);
});
