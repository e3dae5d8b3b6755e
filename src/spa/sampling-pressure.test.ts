import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDiagnostics } from '../diagnostics/diagnostics.js';
import { createPressure } from './sampling-pressure.js';

function setUp() {
  const clock = { now: 0 };
  const { stats } = createDiagnostics(
    () => 0,
    () => {},
  );
  const filled = { blobs: 0, bytes: 0, buffer: 0 };
  let looks = 0;
  const admit = createPressure(
    {
      monotonic: () => clock.now,
      stats() {
        looks++;
        const now = stats();
        now.blobs.waiting = filled.blobs;
        now.bytes.waiting = filled.bytes;
        now.buffer.spans = filled.buffer;
        return now;
      },
    },
    { maxOutboxBlobs: 100, maxOutboxBytes: 10_000, maxBufferedSpans: 1_000 },
  );
  /** Shares of the traces kept of so many, a second later. */
  const kept = (count: number): number[] => {
    clock.now += 1_000;
    return Array.from({ length: count }, admit).filter((share) => share > 0);
  };
  return { clock, filled, kept, admit, looks: () => looks };
}

const STEPS: [number, number][] = [
  [0, 1],
  [25, 1],
  [26, 32],
  [50, 32],
  [51, 64],
  [75, 64],
  [76, 128],
  [200, 128],
];

for (const [percent, oneIn] of STEPS) {
  test(`pressure: at ${percent} % 1 trace in ${oneIn} is kept, and says so`, () => {
    for (const [name, full] of [
      ['blobs', 100],
      ['bytes', 10_000],
      ['buffer', 1_000],
    ] as const) {
      const { filled, kept } = setUp();
      filled[name] = (full * percent) / 100;
      assert.deepEqual(kept(1_280), Array(1_280 / oneIn).fill(1 / oneIn), name);
    }
  });
}

test('pressure: looked at once a second at most, and let off when it is gone', () => {
  const { clock, filled, kept, admit, looks } = setUp();
  kept(1_000);
  assert.equal(looks(), 1);
  filled.buffer = 1_000;
  clock.now += 999;
  assert.equal(admit(), 1);
  assert.equal(kept(128).length, 1);
  filled.buffer = 0;
  assert.equal(kept(10).length, 10);
  assert.equal(looks(), 3);
});
