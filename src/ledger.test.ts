/**
 * Promises 1 and 2 as a property: whatever happens in whatever order, on one page or over several that crash, leave,
 * are cached and come back, nothing is lost silently or stored twice.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Span } from '@opentelemetry/api';
import fc from 'fast-check';
import type { Stats } from './diagnostics/stats.js';
import type { Consent } from './page-options.js';
import type { PageSignal } from './platform/platform.js';
import { assertLedger, type TestClient, testClient } from './testing/client.js';
import { type Cloud, FATES, type Fate, serveAll } from './testing/cloud.js';
import { type TestOrigin, testOrigin } from './testing/origin.js';
import { settle, type TestRequest } from './testing/platform.js';

type Step =
  | { do: 'start' | 'end' | 'fail'; which: number }
  | { do: 'trace'; spans: number }
  | { do: 'advance' | 'jump'; millis: number }
  | { do: 'answer'; which: number; fate: Fate }
  | { do: 'answer-all'; fate: Fate }
  | { do: 'arrive'; which: number }
  | { do: 'page'; signal: PageSignal }
  | {
      do: 'crash' | 'leave' | 'another' | 'begins-to-leave';
      fails: 'store' | 'notes' | 'neither';
      effects: number;
    }
  | { do: 'store'; trouble: 'fails' | 'hangs' | 'goes-on' | 'is-cleared' | 'none' }
  | { do: 'back' }
  | { do: 'consent'; consent: Consent }
  | { do: 'pause'; which: number }
  | { do: 'online' | 'flush' | 'shutdown' | 'beacons-refused' | 'beacons-taken' };

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
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({ do: fc.constant('shutdown') }),
      fc.record({ do: fc.constant('pause'), which }),
    ),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('crash', 'leave', 'another', 'begins-to-leave'),
      // Not both at once: nothing is kept then.
      fails: fc.constantFrom('store', 'notes', 'neither'),
      // After so many the browser ends the page that is leaving.
      effects: fc.oneof(fc.nat(12), fc.constantFrom(1_000, 1_001)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('back') }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('consent'),
      consent: fc.constantFrom<Consent>('granted', 'granted', 'pending', 'denied'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('store'),
      trouble: fc.constantFrom('fails', 'hangs', 'goes-on', 'is-cleared', 'none'),
    }),
  },
) as fc.Arbitrary<Step>;

const settings = fc.record({
  maxTracesPerBlob: fc.constantFrom(1, 2, 200),
  maxOutboxBlobs: fc.constantFrom(2, 1_000),
  maxOutboxAgeMillis: fc.constantFrom(60_000, 604_800_000),
  defers: fc.boolean(),
  relay: fc.constantFrom('auto', 'always', 'never'),
  expiresInMs: fc.constantFrom(20_000, 900_000),
  flushTimeoutMillis: fc.constantFrom(1, 30_000),
  /** Of a page that is alone: what its database does as it goes. */
  end: fc.constantFrom('stays', 'leaves', 'leaves-in-trouble'),
});

type Chosen = typeof settings extends fc.Arbitrary<infer T> ? T : never;
type Options = Parameters<typeof testClient>[0];

/** Pages of one origin, one after the other. */
interface World {
  origin: TestOrigin | undefined;
  options: Options;
  cloud: Cloud;
  /** The page in front. */
  client: TestClient;
  open: Span[];
  /** It was put away; what a test lets it do then, a browser would not. */
  isAway: boolean;
  /** Behind it, alive in the bfcache, or because the navigation away from it has not come to its end. */
  behind: { client: TestClient; open: Span[]; isCached: boolean }[];
  all: TestClient[];
  /** Whether pages come and go. If not, the database may do what it likes. */
  pagesChange: boolean;
  isCleared?: true;
  isLeft?: true;
}

function openWorld(options: Options, origin: TestOrigin | undefined, pagesChange: boolean): World {
  const client = testClient({ ...options, origin });
  const pages = { client, open: [], isAway: false, behind: [], all: [client], pagesChange };
  return { origin, options, cloud: client.cloud, ...pages };
}

function openNext(world: World): void {
  const { client: earlier, all, options, origin, cloud } = world;
  const nowMillis = earlier.platform.now() + 100;
  const seed = 100 * all.length;
  world.client = testClient({ ...options, origin, nowMillis, seed, cloud });
  world.open = [];
  world.isAway = false;
  all.push(world.client);
}

const requestsOf = ({ all }: World): TestRequest[] => all.flatMap(({ platform }) => platform.pending);

/** The page sees this signal as the last one for a while; its database or its notes may not keep what it says. */
async function say(
  signal: PageSignal,
  fails: string,
  { client, origin }: Pick<World, 'client' | 'origin'>,
  effects = 1_000,
): Promise<void> {
  client.platform.effectsLeft = effects;
  if (origin) Object.assign(origin, { storeHangs: fails === 'store', notesFull: fails === 'notes' });
  client.platform.page(signal);
  await settle();
  if (origin) Object.assign(origin, { storeHangs: false, notesFull: false });
}

/** The page goes, and the next one finds the database in order. */
async function goOn(world: World): Promise<void> {
  world.client.platform.page('leaving');
  await settle();
  world.client.platform.crash();
  // What hangs was begun by the page that is gone.
  Object.assign(world.origin as TestOrigin, { storeError: undefined, storeHangs: false });
  openNext(world);
}

/** Runs one step in the world. */
async function run(world: World, step: Step): Promise<void> {
  const { client, open, origin, pagesChange } = world;
  const { platform, processor } = client;
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
      const pending = requestsOf(world);
      const request = pending[step.which % Math.max(1, pending.length)];
      return request && world.cloud.answer(request, step.fate);
    }
    case 'answer-all':
      for (const request of requestsOf(world)) await world.cloud.answer(request, step.fate);
      return;
    case 'arrive': {
      const beacon = world.all.flatMap((page) => page.platform.beacons).at(-1 - step.which);
      return beacon && world.cloud.arrive(beacon);
    }
    case 'page':
      if (step.signal !== 'hidden') world.isAway = step.signal !== 'visible';
      return platform.page(step.signal);
    case 'crash':
      if (!pagesChange) return;
      // What ended in the last instants is not written down yet.
      await platform.advance(1_100);
      platform.crash();
      // The browser sends what was left with it, or does not get round to it.
      if (step.fails === 'neither') {
        for (const deferred of platform.deferred) await world.cloud.arrive(deferred);
      }
      return openNext(world);
    case 'leave':
      if (!pagesChange) return;
      // What ended in the last instants may be lost with a page that is ended in the middle of its last task.
      if (step.effects < 1_000) {
        for (const span of open.splice(0)) span.end();
        await platform.advance(1_100);
      }
      await say('leaving', step.fails, world, step.effects);
      platform.crash();
      // The browser sends what was left with it, or does not get round to it.
      if (step.effects % 2) for (const deferred of platform.deferred) await world.cloud.arrive(deferred);
      return openNext(world);
    case 'another':
      if (!pagesChange) return;
      await say('cached', step.fails, world);
      world.behind.push({ client, open, isCached: true });
      return openNext(world);
    case 'begins-to-leave':
      if (!pagesChange || world.isAway) return;
      await say('unloading', 'neither', world);
      world.behind.push({ client, open, isCached: false });
      return openNext(world);
    case 'back': {
      const page = world.behind.pop();
      if (!page) return;
      await say('leaving', 'neither', world);
      platform.crash();
      Object.assign(world, { client: page.client, open: page.open, isAway: false });
      page.client.platform.jump(platform.now() - page.client.platform.now());
      if (page.isCached) return page.client.platform.page('visible');
      // The user has stayed, and the page finds out.
      return page.client.platform.advance(11_000);
    }
    case 'store':
      if (!origin || pagesChange) return;
      if (step.trouble === 'is-cleared') {
        if (world.isLeft) return;
        world.isCleared = true;
        origin.records.clear();
        origin.notes.clear();
      } else {
        // What is left there is read once, and is never seen if that hangs for ever.
        if (step.trouble === 'hangs' && world.isLeft) return;
        origin.storeError = step.trouble === 'fails' ? new Error('planted') : undefined;
        if (step.trouble === 'hangs') origin.storeHangs = true;
        // A database that hung has worked on it all the while, or gives it up.
        else origin.endHang(step.trouble === 'goes-on');
      }
      return;
    case 'consent':
      // What earlier pages left is deleted, and none of them is there to count it.
      if (pagesChange) return;
      // So is what a page that goes back to pending leaves in a database, if it is cleared; one in trouble may keep what
      // should have been deleted, as it may when a page crashes.
      if (origin && step.consent === 'pending') {
        // What is left there when the operator has stopped the page waits for one that runs.
        if (world.cloud.paused || world.isCleared || origin.storeError || origin.storeHangs) return;
        world.isLeft = true;
      }
      if (step.consent === 'denied' && world.isLeft) return;
      return client.exporter.setConsent(step.consent);
    case 'online':
      return platform.online();
    case 'flush':
      return void processor.forceFlush();
    case 'shutdown':
      // What is in the database then waits for a page that never comes.
      if (origin && !pagesChange) return;
      return void processor.shutdown();
    case 'pause':
      if (!world.isLeft) world.cloud.paused = true;
      return;
    default:
      platform.takesBeacons = step.do === 'beacons-taken';
  }
}

function assertStoredOnce({ cloud }: World): void {
  {
    for (const keys of cloud.keysOf.values()) {
      assert.equal(keys.size, 1, `the same bytes went under ${[...keys].join(' and ')}`);
    }
    const ids = cloud.spanIds();
    assert.equal(new Set(ids).size, ids.length, 'a span is stored twice');
  }
}

/** @throws {AssertionError} when a span is missing, and nobody says so. */
function assertNothingMissing({ all, cloud }: World): void {
  let missing = -cloud.spanIds().length;
  for (const { processor } of all) {
    const { spans } = processor.stats();
    missing += spans.created - sum(Object.values(spans.dropped));
  }
  assert.ok(missing <= 0, `${missing} spans are lost, and nobody says so`);
}

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);

const waitingAnywhere = ({ spans }: Stats): number => spans.waiting;

interface Kind {
  hasStore: boolean;
  pagesChange: boolean;
}

async function play(steps: Step[], chosen: Chosen, { hasStore, pagesChange }: Kind): Promise<void> {
  const { expiresInMs, end, ...options } = chosen;
  const world = openWorld(
    { ...options, relay: options.relay as 'auto', defers: options.defers },
    hasStore ? testOrigin() : undefined,
    pagesChange,
  );
  world.cloud.expiresInMs = expiresInMs;
  const assertLedgers = (): void => {
    for (const { processor } of world.all) assertLedger(processor.stats());
  };
  for (const step of steps) {
    await run(world, step);
    assertLedgers();
    await settle();
    assertLedgers();
  }
  assertStoredOnce(world);

  // The world heals: whatever was not given up arrives, and is counted as it is.
  for (const { client, isCached } of world.behind) {
    if (!isCached) await say('leaving', 'neither', { ...world, client });
    client.platform.crash();
  }
  // What the user has cleared, only the page that has it in memory can send.
  const leaves = hasStore && !pagesChange && end !== 'stays' && !world.isCleared;
  if (!leaves || end === 'leaves') await run(world, { do: 'store', trouble: 'none' });
  if (leaves) await goOn(world);
  await run(world, { do: 'leave', fails: 'neither', effects: 1_000 });
  const { client, open } = world;
  const { platform, processor } = client;
  platform.page('visible');
  client.exporter.setConsent('granted');
  platform.takesBeacons = true;
  serveAll([world.cloud], platform);
  for (const span of open) span.end();
  const flushed = processor.forceFlush();
  for (let tries = 0; tries < 30 && (tries < 3 || waitingAnywhere(processor.stats())); tries++)
    await platform.advance(600_000);
  await flushed;
  const stats = processor.stats();
  assertLedgers();
  assertStoredOnce(world);
  assert.equal(waitingAnywhere(stats), 0, JSON.stringify(stats));
  assertNothingMissing(world);
  for (const { platform, processor } of world.all) {
    assert.deepEqual([...platform.exceptions], []);
    assert.equal(processor.stats().exceptions, 0);
  }
}

for (const [name, hasStore, pagesChange] of [
  ['one page', false, false],
  ['one page, whatever its database does', true, false],
  ['many pages', true, true],
] as const) {
  test(`ledger, ${name}: what is created and adopted has a place after every step, and no span is stored twice`, async () => {
    const steps = fc.array(step, { minLength: 10, maxLength: 60 });
    const property = fc.asyncProperty(steps, settings, (...drawn) =>
      play(...drawn, { hasStore, pagesChange }),
    );
    // A run that failed says its seed and path.
    const { LEDGER_RUNS = 150, LEDGER_SEED, LEDGER_PATH: path } = process.env;
    const again = LEDGER_SEED && path ? { seed: Number(LEDGER_SEED), path } : {};
    await fc.assert(property, { numRuns: Number(LEDGER_RUNS), includeErrorInReport: true, ...again });
  });
}
