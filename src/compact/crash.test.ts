/** Compactors and forwarders at once over one bucket, with clocks that differ, killed at any step: what is promised still holds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { runForward } from '../forward/forward.js';
import { checkForwardOptions } from '../forward/forward-settings.js';
import { createForwardedLookup } from '../server/forwarded-lookup.js';
import { type TestBucket, testBucket, testSender, traceKey } from '../testing/bucket.js';
import { type Runner as Mortals, mortal, random, runnerFields } from '../testing/crashing.js';
import { spansIn as spansInRequest } from '../testing/forward.js';
import { runCompact } from './compact.js';
import { checkCompactOptions } from './compact-settings.js';
import { accountedFor, type CompactSummary } from './summary.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 10, 21, 12, 30);

interface Runner extends Mortals {
  isForwarder: boolean;
}

interface World {
  bucket: TestBucket;
  nowMillis: number;
  /** How often the backend took each span. */
  taken: Map<string, number>;
  /** Where a forwarder was killed, or lost the store, between sending and noting: what it had sent may come again. */
  cut: Set<string>;
  next: () => number;
}

const hex = (n: number, digits: number): string => (n + 1).toString(16).padStart(digits, '0');

/** Two spans of its own, and one that the object before has too. */
function objectOf(index: number): Uint8Array<ArrayBuffer> {
  const nanos = `${START - HOUR + index}000000`;
  const spans = [index * 2, index * 2 + 1, ...(index > 0 ? [index * 2 - 1] : [])].map((n) => ({
    ...{ traceId: hex(n >> 2, 32), spanId: hex(n, 16), name: `span ${n}` },
    ...{ startTimeUnixNano: nanos, endTimeUnixNano: nanos },
  }));
  const scopeSpans = [{ scope: { name: 'test' }, spans }];
  return new Uint8Array(gzipSync(JSON.stringify({ resourceSpans: [{ resource: {}, scopeSpans }] })));
}

function spansOf(bytes: Uint8Array): string[] {
  return spansInRequest(JSON.parse(gunzipSync(bytes).toString())).map(({ spanId }) => spanId);
}

async function runOne(
  world: World,
  runner: Runner,
  after: 'delete' | 'keep',
): Promise<CompactSummary | undefined> {
  let unnoted: string[] = [];
  const life = mortal(world, runner, world.next, () => {
    unnoted = [];
  });
  const now = (): number => world.nowMillis + runner.skewMillis;
  const waitFor = async (millis: number): Promise<void> => {
    world.nowMillis += millis;
  };
  const common = { storage: life.storage, now, concurrency: 2, leaseMinutes: 4 };
  if (!runner.isForwarder) {
    const summary = await runCompact(checkCompactOptions({ ...common, graceMillis: 0 }), waitFor);
    assert.equal(summary.listed, accountedFor(summary) + summary.left);
    assert.ok(summary.left >= 0);
    return summary;
  }
  const sender = testSender();
  const settings = checkForwardOptions({
    ...{ ...common, after, maxBatchObjects: 3, from: 0 },
    sender: {
      async send(objects, signal) {
        await life.step(60);
        if (life.isDead) throw new Error('killed');
        unnoted = objects.flatMap(({ bytes }) => spansOf(bytes));
        for (const id of new Set(unnoted)) world.taken.set(id, (world.taken.get(id) ?? 0) + 1);
        return sender.send(objects, signal);
      },
    },
  });
  await runForward(settings, waitFor);
  for (const id of unnoted) world.cut.add(id);
  return undefined;
}

const runnersOf = (isForwarder: fc.Arbitrary<boolean>): fc.Arbitrary<Runner[]> =>
  fc.array(
    fc.record<Runner>({
      isForwarder,
      ...runnerFields(150),
    }),
    { minLength: 1, maxLength: 4 },
  );

const ALIVE = { skewMillis: 0, diesAt: undefined, failsAt: [], isLate: false };

function fill(count: number, seed: number): { world: World; keys: string[]; ids: string[] } {
  const world: World = {
    ...{ bucket: testBucket({ pageSize: 4 }), nowMillis: START, taken: new Map(), cut: new Set() },
    next: random(seed),
  };
  const keys = Array.from({ length: count }, (_, index) =>
    traceKey(START - HOUR - (index % 5) * 20 * MINUTE + index, index),
  );
  for (const [index, key] of keys.entries()) world.bucket.objects.set(key, objectOf(index));
  return { world, keys, ids: Array.from({ length: count * 2 }, (_, n) => hex(n, 16)) };
}

const spansIn = (bucket: TestBucket): string[] =>
  bucket.keys('otlp/').flatMap((key) => spansOf(bucket.objects.get(key) ?? new Uint8Array()));

test('compact, killed at any step, several at once: no span is lost, none is there twice, all ids are known', async () => {
  await fc.assert(
    fc.asyncProperty(
      runnersOf(fc.constant(false)),
      fc.integer(),
      fc.integer({ min: 1, max: 25 }),
      async (crowd, seed, count) => {
        const { world, keys, ids } = fill(count, seed);
        const { bucket } = world;
        await Promise.all(crowd.map((runner) => runOne(world, runner, 'keep')));
        // Half-way, too: what is there holds all.
        assert.deepEqual([...new Set(spansIn(bucket))].sort(), ids);
        world.nowMillis += 10 * MINUTE;
        const summary = await runOne(world, { ...ALIVE, isForwarder: false }, 'keep');
        assert.equal(summary?.ended, 'done');
        assert.equal(summary?.busy, 0);
        assert.deepEqual([...new Set(spansIn(bucket))].sort(), ids, 'lost');

        const hours = bucket.keys('otlp/').map((key) => key.replace(/minute=.*/, ''));
        const closed = hours.filter((hour) => !hour.includes('hour=12'));
        assert.equal(new Set(closed).size, closed.length, 'one object for each hour');
        for (const key of bucket.keys('otlp/')) {
          const spans = spansOf(bucket.objects.get(key) ?? new Uint8Array());
          assert.equal(new Set(spans).size, spans.length, 'a span is there twice');
        }
        const lookup = createForwardedLookup(bucket.view(), 'spandrel-state', () => true);
        for (const key of keys) {
          assert.ok(bucket.objects.has(key) || (await lookup.has(key)), `${key} is not known to be stored`);
        }
        const again = await runOne(world, { ...ALIVE, isForwarder: false }, 'keep');
        assert.equal(again?.written, 0, 'nothing is left to do');
      },
    ),
    { numRuns: 60 },
  );
});

/** Spans of their own only: what two objects have, a backend gets twice that does not look. */
function withoutSharedSpans({ bucket }: World): void {
  for (const key of bucket.keys('otlp/')) {
    const own = JSON.parse(gunzipSync(bucket.objects.get(key) ?? new Uint8Array()).toString());
    own.resourceSpans[0].scopeSpans[0].spans.length = 2;
    bucket.objects.set(key, new Uint8Array(gzipSync(JSON.stringify(own))));
  }
}

/** Once all leases of the dead have run out, those that live end the work. */
async function endWork(world: World, ids: string[], after: 'delete' | 'keep'): Promise<void> {
  for (const isForwarder of [true, false, true]) {
    world.nowMillis += 10 * MINUTE;
    await runOne(world, { ...ALIVE, isForwarder }, after);
  }
  for (const id of ids) {
    const times = world.taken.get(id) ?? 0;
    assert.ok(times >= 1, `${id} is lost`);
    if (!world.cut.has(id)) assert.equal(times, 1, `${id} came ${times} times`);
  }
  if (after === 'keep') assert.deepEqual([...new Set(spansIn(world.bucket))].sort(), ids);
  else assert.deepEqual(spansIn(world.bucket), []);
}

for (const after of ['delete', 'keep'] as const) {
  test(`compact, killed at each of its steps, then forward, ${after}: the backend gets each span once`, async () => {
    for (const isLate of [false, true]) {
      for (let diesAt = 1; ; diesAt += 1) {
        const { world, ids } = fill(9, 1);
        withoutSharedSpans(world);
        const summary = await runOne(world, { ...ALIVE, isForwarder: false, diesAt, isLate }, after);
        await endWork(world, ids, after).catch((cause: unknown) => {
          throw new Error(`killed ${isLate ? 'after' : 'before'} step ${diesAt}`, { cause });
        });
        if (summary?.ended === 'done' && diesAt > 100) break;
      }
    }
  });

  test(`compact and forward at once, killed at any step, ${after}: the backend gets each span, and twice only by its own cuts`, async () => {
    await fc.assert(
      fc.asyncProperty(
        runnersOf(fc.boolean()),
        fc.integer(),
        fc.integer({ min: 1, max: 25 }),
        async (crowd, seed, count) => {
          const { world, ids } = fill(count, seed);
          withoutSharedSpans(world);
          await Promise.all(crowd.map((runner) => runOne(world, runner, after)));
          await endWork(world, ids, after);
        },
      ),
      { numRuns: 60 },
    );
  });
}
