/**
 * Promises 1 and 2 where nothing lasts: whatever happens in whatever order to invocations that follow one another or
 * run at once, and leave each other what they could not send.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucket } from './bucket/bucket.js';
import type { Destination } from './destinations/destination.js';
import { tee } from './destinations/tee.js';
import type { Stats } from './diagnostics/stats.js';
import { type Collector, openCollector } from './edge/collector.js';
import { type Kept, nothingKept } from './edge/kept.js';
import type { ReadableSpan } from './pipeline/model.js';
import { assertLedger } from './testing/client.js';
import {
  type Cloud,
  ENDPOINT,
  FATES,
  type Fate,
  OTHER_ENDPOINT,
  serveAll,
  testCloud,
} from './testing/cloud.js';
import { handMade } from './testing/encoding.js';
import { settle, type TestPlatform, type TestRequest, testPlatform } from './testing/platform.js';

type Step =
  | { do: 'spans'; which: number; count: number }
  | { do: 'invoke' }
  | { do: 'flush' | 'close' | 'pause'; which: number }
  | { do: 'advance' | 'jump'; millis: number }
  | { do: 'answer'; which: number; fate: Fate }
  | { do: 'answer-all'; fate: Fate };

const which = fc.nat(7);
const fate = fc.oneof(fc.constant<Fate>('done'), fc.constantFrom(...FATES));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ do: fc.constant('spans'), which, count: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('invoke') }) },
  { weight: 15, arbitrary: fc.record({ do: fc.constant('flush'), which }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('close'), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pause'), which }) },
  {
    weight: 15,
    arbitrary: fc.record({
      do: fc.constant('advance'),
      millis: fc.constantFrom(0, 1, 600, 5_000, 31_000, 310_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('jump'), millis: fc.constantFrom(-3_600_000, 1_800_000) }),
  },
  { weight: 40, arbitrary: fc.record({ do: fc.constant('answer'), which, fate }) },
  { weight: 15, arbitrary: fc.record({ do: fc.constant('answer-all'), fate }) },
) as fc.Arbitrary<Step>;

const settings = fc.record({
  places: fc.constantFrom([ENDPOINT], [ENDPOINT, OTHER_ENDPOINT]),
  relay: fc.constantFrom('auto', 'always', 'never'),
  expiresInMs: fc.constantFrom(20_000, 900_000),
  maxBufferedSpans: fc.constantFrom(2, 1_000),
});
type Chosen = typeof settings extends fc.Arbitrary<infer T> ? T : never;

interface Invocation {
  collector: Collector;
  platform: TestPlatform;
}

interface World {
  chosen: Chosen;
  kept: Kept;
  clouds: readonly Cloud[];
  /** What tells the time when nobody runs. */
  clock: TestPlatform;
  running: Invocation[];
  all: Invocation[];
}

let serial = 0;

function span(): ReadableSpan {
  const hex = (++serial).toString(16);
  const spanContext = () => ({
    traceId: hex.padStart(32, 'a'),
    spanId: hex.padStart(16, 'b'),
    traceFlags: 1,
  });
  return handMade({ spanContext });
}

function openWorld(chosen: Chosen): World {
  const clock = testPlatform();
  const clouds = chosen.places.map((place) => testCloud(clock, place));
  for (const cloud of clouds) cloud.expiresInMs = chosen.expiresInMs;
  return { chosen, kept: nothingKept(), clouds, clock, running: [], all: [] };
}

function invoke({ chosen, kept, clock, running, all }: World): Invocation {
  const { places, maxBufferedSpans } = chosen;
  const platform = testPlatform({ nowMillis: clock.now(), seed: 100 * (all.length + 1) });
  platform.takesBeacons = false;
  const relay = chosen.relay as 'auto';
  const buckets = places.map((endpoint) => bucket({ endpoint, relay }));
  const [first] = buckets as [Destination];
  const destination = buckets.length > 1 ? tee(...(buckets as [Destination, Destination])) : first;
  const invocation = {
    collector: openCollector({ destination, maxBufferedSpans, kept }, platform),
    platform,
  };
  running.push(invocation);
  all.push(invocation);
  return invocation;
}

async function close({ running }: World, invocation: Invocation): Promise<void> {
  running.splice(running.indexOf(invocation), 1);
  const closing = invocation.collector.close();
  await invocation.platform.advance(0);
  await closing;
  assert.deepEqual(invocation.platform.loose, { timers: 0, listeners: 0 });
  assert.equal(invocation.collector.stats().spans.waiting, 0);
}

const requestsOf = ({ all }: World): TestRequest[] => all.flatMap(({ platform }) => platform.pending);
const cloudOf = ({ clouds }: World, request: TestRequest): Cloud =>
  clouds.find((cloud) => cloud.owns(request)) as Cloud;

async function run(world: World, step: Step): Promise<void> {
  const { running, clock, clouds } = world;
  const one = running[('which' in step ? step.which : 0) % Math.max(1, running.length)];
  switch (step.do) {
    case 'invoke':
      if (running.length < 3) invoke(world);
      return;
    case 'spans':
      for (let count = 0; count < step.count; count++) one?.collector.ended(span());
      return;
    case 'flush':
      return void one?.collector.flush(1_000);
    case 'close':
      return one && close(world, one);
    case 'advance':
      for (const platform of [clock, ...running.map((running) => running.platform)]) {
        await platform.advance(step.millis);
      }
      return;
    case 'jump':
      for (const platform of [clock, ...running.map((running) => running.platform)]) {
        platform.jump(step.millis);
      }
      return;
    case 'pause':
      (clouds[step.which % clouds.length] as Cloud).paused = true;
      return;
    case 'answer': {
      const pending = requestsOf(world);
      const request = pending[step.which % Math.max(1, pending.length)];
      return request && cloudOf(world, request).answer(request, step.fate);
    }
    default:
      for (const request of requestsOf(world)) await cloudOf(world, request).answer(request, step.fate);
  }
}

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
const lostIn = ({ spans }: Stats): number => sum(Object.values(spans.dropped));
const blobsIn = (kept: Kept): number => sum([...kept.values()].map(({ blobs }) => blobs.length));

async function play(steps: Step[], chosen: Chosen): Promise<void> {
  const world = openWorld(chosen);
  const { clouds, kept, all } = world;
  const assertAll = (): void => {
    for (const { collector } of all) assertLedger(collector.stats());
  };
  for (const step of steps) {
    await run(world, step);
    assertAll();
    await settle();
    assertAll();
  }

  // The world heals: whatever was not given up arrives.
  for (const invocation of [...world.running]) await close(world, invocation);
  for (let tries = 0; tries < 10 && (!tries || blobsIn(kept)); tries++) {
    // All together longer than anybody has asked for patience, though the clock was set back meanwhile.
    await world.clock.advance(1_000_000);
    const last = invoke(world);
    serveAll(clouds, last.platform);
    const flushed = last.collector.flush(60_000);
    for (let turn = 0; turn < 10; turn++) await last.platform.advance(6_000);
    await flushed;
    await close(world, last);
  }
  assertAll();
  assert.equal(blobsIn(kept), 0);

  clouds.forEach((cloud, at) => {
    for (const keys of cloud.keysOf.values()) {
      assert.equal(keys.size, 1, `the same bytes went under ${[...keys].join(' and ')}`);
    }
    const ids = cloud.spanIds();
    assert.equal(new Set(ids).size, ids.length, 'a span is stored twice');
    const stats = all.map(({ collector }) => collector.stats());
    const ledgers = stats.map((one) => [one, ...one.others][at] as Stats);
    const [created, stored, adopted, handedOver] = (
      ['created', 'stored', 'adopted', 'handedOver'] as const
    ).map((name) => sum(ledgers.map(({ spans }) => spans[name])));
    assert.equal(adopted, handedOver, 'nothing is on its way any more');
    assert.equal(created, (stored as number) + sum(ledgers.map(lostIn)));
    // A blob that was given up may have arrived all the same.
    assert.ok(ids.length >= (stored as number), 'said to be stored, and is not');
  });
  for (const { platform, collector } of all) {
    assert.deepEqual([...platform.exceptions], []);
    const { exceptions, others } = collector.stats();
    assert.equal(exceptions + sum(others.map((other) => other.exceptions)), 0);
  }
}

test('ledger, invocations that leave each other what they could not send: every span has a place after every step, and is stored once', async () => {
  const steps = fc.array(step, { minLength: 10, maxLength: 60 });
  const numRuns = Number(process.env['LEDGER_RUNS'] ?? 150);
  const property = fc.asyncProperty(steps, settings, (...drawn) => play(...drawn));
  await fc.assert(property, { numRuns, includeErrorInReport: true });
});
