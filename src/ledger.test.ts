/** Promises 1 and 2 as a property: whatever happens in whatever order, nothing is lost silently or stored twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Span } from '@opentelemetry/api';
import fc from 'fast-check';
import type { PageSignal } from './platform/platform.js';
import { assertLedger, type TestClient, testClient } from './testing/client.js';
import { FATES, type Fate } from './testing/cloud.js';
import { settle } from './testing/platform.js';

type Step =
  | { do: 'start' | 'end' | 'fail'; which: number }
  | { do: 'trace'; spans: number }
  | { do: 'advance' | 'jump'; millis: number }
  | { do: 'answer'; which: number; fate: Fate }
  | { do: 'answer-all'; fate: Fate }
  | { do: 'arrive'; which: number }
  | { do: 'page'; signal: PageSignal }
  | { do: 'online' | 'flush' | 'shutdown' | 'pause' | 'beacons-refused' | 'beacons-taken' };

const which = fc.nat(7);
const fate = fc.oneof(fc.constant<Fate>('done'), fc.constantFrom(...FATES));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ do: fc.constantFrom('start', 'end', 'fail'), which }) },
  { weight: 15, arbitrary: fc.record({ do: fc.constant('trace'), spans: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 25,
    arbitrary: fc.record({
      do: fc.constant('advance'),
      millis: fc.constantFrom(1, 100, 600, 5_000, 31_000, 310_000, 1_000_000),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('jump'), millis: fc.constantFrom(-3_600_000, 1_000_000) }),
  },
  {
    weight: 40,
    arbitrary: fc.record({
      do: fc.constant('answer'),
      which,
      fate,
    }),
  },
  { weight: 20, arbitrary: fc.record({ do: fc.constant('answer-all'), fate: fate }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('arrive'), which }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('page'),
      signal: fc.constantFrom<PageSignal>('hidden', 'cached', 'leaving', 'visible'),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constantFrom('online', 'flush', 'beacons-refused', 'beacons-taken') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('shutdown', 'pause') }) },
) as fc.Arbitrary<Step>;

const settings = fc.record({
  maxTracesPerBlob: fc.constantFrom(1, 2, 200),
  maxOutboxBlobs: fc.constantFrom(2, 1_000),
  maxOutboxAgeMillis: fc.constantFrom(60_000, 604_800_000),
  poolSize: fc.constantFrom(1, 2, 5),
  relay: fc.constantFrom('auto', 'always', 'never'),
  expiresInMs: fc.constantFrom(20_000, 900_000),
  flushTimeoutMillis: fc.constantFrom(1, 30_000),
});

/** Runs one step in the world. @returns whether the client was told to end. */
async function run(client: TestClient, open: Span[], step: Step): Promise<void> {
  const { platform, cloud, processor } = client;
  switch (step.do) {
    case 'start':
      return void open.push(client.startSpan('work', open[step.which]));
    case 'end':
    case 'fail': {
      const [span] = open.splice(step.which % Math.max(1, open.length), 1);
      if (step.do === 'fail') span?.setStatus({ code: 2 });
      return span?.end();
    }
    case 'trace':
      return client.endTrace(step.spans);
    case 'advance':
      return platform.advance(step.millis);
    case 'jump':
      return platform.jump(step.millis);
    case 'answer': {
      const { pending } = platform;
      const request = pending[step.which % Math.max(1, pending.length)];
      return request && cloud.answer(request, step.fate);
    }
    case 'answer-all':
      for (const request of platform.pending) await cloud.answer(request, step.fate);
      return;
    case 'arrive': {
      const beacon = platform.beacons.at(-1 - step.which);
      return beacon && cloud.arrive(beacon);
    }
    case 'page':
      return platform.page(step.signal);
    case 'online':
      return platform.online();
    case 'flush':
      return void processor.forceFlush();
    case 'shutdown':
      return void processor.shutdown();
    case 'pause':
      cloud.paused = true;
      return;
    default:
      platform.takesBeacons = step.do === 'beacons-taken';
  }
}

function assertStoredOnce({ cloud }: TestClient): void {
  for (const keys of cloud.keysOf.values()) {
    assert.equal(keys.size, 1, `the same bytes went under ${[...keys].join(' and ')}`);
  }
  const ids = cloud.spanIds();
  assert.equal(new Set(ids).size, ids.length, 'a span is stored twice');
}

test('ledger: created = stored + waiting + dropped after every step, and no span is stored twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), settings, async (steps, chosen) => {
      const { expiresInMs, ...options } = chosen;
      const client = testClient({ ...options, relay: options.relay as 'auto' });
      client.cloud.expiresInMs = expiresInMs;
      const { platform, cloud, processor } = client;
      const open: Span[] = [];
      for (const step of steps) {
        await run(client, open, step);
        assertLedger(processor.stats());
        await settle();
        assertLedger(processor.stats());
      }
      assertStoredOnce(client);

      // The world heals: whatever was not given up arrives, and is counted as it is.
      platform.page('visible');
      platform.takesBeacons = true;
      cloud.serve();
      for (const span of open) span.end();
      await processor.forceFlush();
      for (let tries = 0; tries < 30 && processor.stats().spans.waiting; tries++)
        await platform.advance(600_000);
      const stats = processor.stats();
      assertLedger(stats);
      assertStoredOnce(client);
      assert.equal(stats.spans.waiting, 0, JSON.stringify(stats));
      assert.ok(
        cloud.spanIds().length >= stats.spans.stored,
        'more was counted as stored than is in the bucket',
      );
      assert.deepEqual([...platform.exceptions], []);
      assert.equal(stats.exceptions, 0);
    }),
    { numRuns: Number(process.env['LEDGER_RUNS'] ?? 150), includeErrorInReport: true },
  );
});
