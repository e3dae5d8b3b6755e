/** Several forwarders at once over one bucket, with clocks that differ, killed at any step: what is promised still holds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createForwardedLookup } from '../server/forwarded-lookup.js';
import { gzipOf, type TestBucket, testBucket, testSender, traceKey } from '../testing/bucket.js';
import { mortal, type Runner, random, runnerFields } from '../testing/crashing.js';
import { runForward } from './forward.js';
import type { After } from './forward-options.js';
import { checkForwardOptions } from './forward-settings.js';
import { accountedFor, type ForwardSummary } from './summary.js';

const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 21, 12, 8);

interface World {
  bucket: TestBucket;
  nowMillis: number;
  /** Batches whose sender answered, while nobody has noted them. */
  taken: Map<string, number>;
  /** Where a runner was killed, or lost the store, between sending and noting. */
  cuts: number;
}

async function runOne(
  world: World,
  runner: Runner,
  after: After,
  next: () => number,
): Promise<ForwardSummary> {
  let unnoted: string[] = [];
  const life = mortal(world, runner, next, () => {
    unnoted = [];
  });
  const sender = testSender();
  const settings = checkForwardOptions({
    ...{
      storage: life.storage,
      after,
      maxBatchObjects: 3,
      concurrency: 2,
      leaseMinutes: 4,
      from: 0,
    },
    now: () => world.nowMillis + runner.skewMillis,
    sender: {
      async send(objects, signal) {
        await life.step(60);
        world.nowMillis += Math.floor(next() * 2_000);
        if (life.isDead) throw new Error('killed');
        for (const { key } of objects) world.taken.set(key, (world.taken.get(key) ?? 0) + 1);
        unnoted = objects.map(({ key }) => key);
        return sender.send(objects, signal);
      },
    },
  });
  const summary = await runForward(settings, async (millis) => {
    world.nowMillis += millis;
  });
  // A store that stays down between sending and noting is as good as a kill.
  if (unnoted.length > 0) world.cuts += 1;
  return summary;
}

const runners = fc.array(fc.record<Runner>(runnerFields(120)), { minLength: 1, maxLength: 4 });

for (const after of ['delete', 'move', 'keep'] as const) {
  test(`forward, killed at any step, several at once, ${after}: nothing is lost, and little is sent twice`, async () => {
    await fc.assert(
      fc.asyncProperty(runners, fc.integer(), fc.integer({ min: 1, max: 30 }), async (crowd, seed, count) => {
        const next = random(seed);
        const world: World = {
          bucket: testBucket({ pageSize: 4 }),
          nowMillis: START,
          taken: new Map(),
          cuts: 0,
        };
        const keys = Array.from({ length: count }, (_, index) =>
          traceKey(START - (1 + (index % 3)) * MINUTE, index),
        );
        for (const key of keys) world.bucket.objects.set(key, gzipOf(key));
        const summaries = await Promise.all(crowd.map((runner) => runOne(world, runner, after, next)));
        for (const summary of summaries) {
          assert.equal(summary.listed, accountedFor(summary) + summary.left);
        }
        // Once all leases of the dead have run out, one that lives ends the work.
        world.nowMillis += 10 * MINUTE;
        const last = { skewMillis: 0, diesAt: undefined, failsAt: [], isLate: false };
        const summary = await runOne(world, last, after, next);
        assert.equal(summary.ended, 'done');
        assert.equal(summary.busy, 0);

        for (const key of keys) assert.ok((world.taken.get(key) ?? 0) >= 1, `${key} is lost`);
        const twice = [...world.taken.values()].reduce((sum, times) => sum + times - 1, 0);
        assert.ok(twice <= world.cuts * 3, `${twice} sent again, ${world.cuts} cuts`);
        assert.deepEqual(world.bucket.keys('otlp/'), after === 'keep' ? [...keys].sort() : []);
        assert.deepEqual(world.bucket.keys('forwarded/').length, after === 'move' ? count : 0);

        // Whoever asks later is told that all have arrived.
        const lookup = createForwardedLookup(world.bucket.view(), 'spandrel-state', () => true);
        for (const key of keys) assert.equal(await lookup.has(key), true, `${key} is not noted`);

        const again = await runOne(world, last, after, next);
        assert.equal(again.sent, 0);
      }),
      { numRuns: 100 },
    );
  });
}
