import assert from 'node:assert/strict';
import { test } from 'node:test';
import { context, ROOT_CONTEXT, type Span, type SpanContext, trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-web';
import fc from 'fast-check';
import { testClock } from '../testing/clock.js';
import { testPlatform } from '../testing/platform.js';
import { type ActivityStart, createActivities } from './activity.js';

/** The moment at which a test begins. */
const BEGUN = 5_000;
const WALL_OFFSET = 1_790_000_000_000;

function createPage() {
  const platform = testPlatform();
  const clock = testClock(platform.monotonic, WALL_OFFSET);
  const stored = new InMemorySpanExporter();
  const discarded: string[] = [];
  const discard = (span: Span): void => void discarded.push((span as unknown as { name: string }).name);
  const provider = new BasicTracerProvider({
    spanProcessors: [
      {
        onStart: (span) => activities.processor.onStart(span),
        onEnd: (span) => activities.processor.onEnd(span),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
      new SimpleSpanProcessor(stored),
    ],
  });
  const tracer = provider.getTracer('test');
  const activities = createActivities({ tracer, clock, platform, discard });
  const child = (name = 'child', of = activities.parent()): Span => tracer.startSpan(name, {}, of);
  const begin = (name: string, start: Partial<ActivityStart> = {}) =>
    activities.begin({ kind: 'route', name, ...start });
  const moment = ([seconds, nanos]: [number, number]): number =>
    seconds * 1e3 + nanos / 1e6 - WALL_OFFSET - BEGUN;
  return {
    ...{ activities, platform, tracer, discarded, child, begin },
    /** What has ended: name, start and end in milliseconds of the test, why it ended. */
    ended: () =>
      stored
        .getFinishedSpans()
        .filter(({ parentSpanContext }) => !parentSpanContext || parentSpanContext.isRemote)
        .map(({ name, startTime, endTime, attributes }) => [
          name,
          Math.round(moment(startTime)),
          Math.round(moment(endTime)),
          attributes['spandrel.activity.end'],
        ]),
    span: (name: string) => stored.getFinishedSpans().find((span) => span.name === name),
  };
}

type Page = ReturnType<typeof createPage>;

const parentOf = (span: Span): string | undefined =>
  (span as unknown as { parentSpanContext?: SpanContext }).parentSpanContext?.spanId;

test('activity: ends a second after its last child, as of that child’s end', async () => {
  const { activities, platform, begin, child, ended, span } = createPage();
  const activity = begin('a', { attributes: { mine: 1 } });
  await platform.advance(900);
  const first = child();
  assert.equal(parentOf(first), activity.root.spanContext().spanId);
  await platform.advance(5_000);
  first.end();
  await platform.advance(700);
  const second = child('second');
  await platform.advance(100);
  second.end();
  await platform.advance(999);
  assert.deepEqual([ended(), activities.current], [[], activity]);
  await platform.advance(1);
  assert.deepEqual(ended(), [['a', 0, 6_700, 'quiet']]);
  assert.equal(activities.current, undefined);
  assert.deepEqual(span('a')?.attributes, {
    mine: 1,
    'spandrel.activity.type': 'route',
    'spandrel.activity.end': 'quiet',
  });
  assert.equal(platform.loose.timers, 0);
});

test('activity: one that nothing follows ends where it began', async () => {
  const { platform, begin, ended } = createPage();
  begin('a');
  await platform.advance(1_000);
  assert.deepEqual(ended(), [['a', 0, 0, 'quiet']]);
});

test('activity: before it is found quiet, it is asked what is not told yet, and that is news', async () => {
  const { activities, platform, begin, child, ended } = createPage();
  let untold = 1;
  const stop = activities.beforeQuiet(() => {
    if (untold-- > 0) child('told late').end();
  });
  begin('a');
  await platform.advance(1_000);
  assert.deepEqual([ended(), untold], [[], 0]);
  await platform.advance(1_000);
  assert.deepEqual(ended(), [['a', 0, 1_000, 'quiet']]);
  const asked = untold;
  stop();
  begin('b');
  await platform.advance(1_000);
  assert.deepEqual([ended().length, untold], [2, asked]);
});

test('activity: what is held is not quiet, however often a hold is given back', async () => {
  const { platform, begin, ended } = createPage();
  const activity = begin('a');
  const release = activity.hold();
  const other = activity.hold();
  await platform.advance(2_000);
  release();
  release();
  await platform.advance(2_000);
  assert.deepEqual(ended(), []);
  other();
  await platform.advance(1_000);
  assert.deepEqual(ended(), [['a', 0, 4_000, 'quiet']]);
});

test('activity: ends at 30 s, whatever is open; what comes late is still its child', async () => {
  const { activities, platform, begin, child, ended } = createPage();
  const { context: own } = begin('a', { startedAt: BEGUN - 100 });
  const open = child();
  await platform.advance(29_899);
  assert.deepEqual(ended(), []);
  await platform.advance(1);
  assert.deepEqual(ended(), [['a', -100, 29_900, 'timeout']]);
  assert.equal(activities.current, undefined);
  open.end();
  assert.equal(parentOf(child('late', own)), trace.getSpanContext(own)?.spanId);
  assert.equal(platform.loose.timers, 0);
});

test('activity: the next one takes over; the first ends when its own children have', async () => {
  const { activities, platform, begin, child, ended } = createPage();
  const first = begin('a');
  const open = child();
  await platform.advance(100);
  const second = begin('b');
  assert.equal(activities.current, second);
  assert.equal(parentOf(child()), second.root.spanContext().spanId);
  await platform.advance(2_900);
  assert.deepEqual(ended(), []);
  open.end();
  assert.deepEqual(ended(), [['a', 0, 3_000, 'superseded']]);
  assert.equal(first.endedAt, BEGUN + 3_000);
});

test('activity: a quiet one is superseded as of its last child, at once', async () => {
  const { platform, begin, child, ended } = createPage();
  begin('a');
  const only = child();
  await platform.advance(200);
  only.end();
  await platform.advance(500);
  begin('b');
  assert.deepEqual(ended(), [['a', 0, 200, 'superseded']]);
});

test('activity: a tentative one without work leaves nothing, and what it came before goes on', async () => {
  const { activities, platform, begin, child, ended, discarded } = createPage();
  const load = begin('load', { kind: 'load' });
  const open = child();
  const click = begin('click', { kind: 'interaction', tentative: true });
  assert.equal(activities.current, click);
  await platform.advance(600);
  // The next click comes before the last was given up.
  begin('click again', { kind: 'interaction', tentative: true });
  await platform.advance(600);
  assert.deepEqual(discarded, ['click']);
  await platform.advance(400);
  assert.deepEqual(discarded, ['click', 'click again']);
  assert.equal(activities.current, load);
  open.end();
  await platform.advance(1_000);
  assert.deepEqual(ended(), [['load', 0, 1_600, 'quiet']]);
  assert.equal(activities.at(BEGUN + 100), load);
});

test('activity: a tentative one whose forerunner ended meanwhile leaves nothing behind', async () => {
  const { activities, platform, begin, discarded } = createPage();
  begin('load');
  await platform.advance(500);
  begin('click', { tentative: true });
  await platform.advance(1_000);
  assert.deepEqual(discarded, ['click']);
  assert.equal(activities.current, undefined);
});

const WORK: [string, (page: Page) => void][] = [
  ['a child', ({ child }) => child().end()],
  ['a hold', ({ activities }) => activities.current?.hold()()],
  ['becoming something', ({ activities }) => activities.current?.become('interaction', 'click')],
];
for (const [name, work] of WORK) {
  test(`activity: ${name} makes a tentative one real, which supersedes what was before`, async () => {
    const all = createPage();
    all.begin('load');
    await all.platform.advance(100);
    all.begin('click', { tentative: true });
    await all.platform.advance(800);
    assert.equal(all.ended().length, 0);
    work(all);
    assert.deepEqual(all.ended(), [['load', 0, 0, 'superseded']]);
    await all.platform.advance(999);
    assert.equal(all.ended().length, 1);
    await all.platform.advance(1);
    assert.deepEqual(all.ended().at(-1), ['click', 100, 900, 'quiet']);
    assert.deepEqual(all.discarded, []);
  });
}

test('activity: one that begins over a tentative one supersedes all that was before', async () => {
  const { platform, begin, ended, discarded } = createPage();
  begin('load');
  begin('click', { tentative: true });
  await platform.advance(10);
  begin('route');
  assert.deepEqual(discarded, ['click']);
  assert.deepEqual(ended(), [['load', 0, 0, 'superseded']]);
});

test('activity: a tentative one whose work begins after the next click keeps it, and is gone back to', async () => {
  const { activities, platform, begin, child, ended, discarded } = createPage();
  const first = begin('first', { tentative: true });
  const second = begin('second', { tentative: true });
  const work = child('work', first.context);
  assert.equal(activities.current, second);
  await platform.advance(1_000);
  assert.deepEqual(discarded, ['second']);
  assert.equal(activities.current, first);
  work.end();
  await platform.advance(1_000);
  assert.deepEqual(ended(), [['first', 0, 1_000, 'quiet']]);
});

test('activity: becoming a route keeps the start, takes the name, and waits again for what follows', async () => {
  const { activities, platform, begin, ended, span } = createPage();
  const click = begin('click a', {
    kind: 'interaction',
    tentative: true,
    startedAt: BEGUN - 20,
    attributes: { 'spandrel.interaction.type': 'click' },
  });
  await platform.advance(990);
  click.become('route', 'route /b', { 'url.template': '/b' });
  assert.deepEqual([click.kind, click.attributes], ['route', { 'spandrel.interaction.type': 'click' }]);
  await platform.advance(999);
  assert.equal(activities.current, click);
  await platform.advance(1);
  assert.deepEqual(ended(), [['route /b', -20, 990, 'quiet']]);
  assert.deepEqual(span('route /b')?.attributes, {
    'spandrel.interaction.type': 'click',
    'url.template': '/b',
    'spandrel.activity.type': 'route',
    'spandrel.activity.end': 'quiet',
  });
});

const LEAVING = [
  ['hidden', 'hidden', undefined],
  ['leaving', 'leaving', true],
  ['cached', 'leaving', true],
] as const;
for (const [signal, reason, interrupted] of LEAVING) {
  test(`activity: ${signal} ends all, what is busy now, what is quiet as of its last child`, async () => {
    const { activities, platform, begin, child, ended, discarded, span } = createPage();
    begin('busy');
    child();
    begin('quiet');
    const done = child();
    await platform.advance(100);
    done.end();
    begin('click', { tentative: true });
    await platform.advance(100);
    activities.page(signal);
    assert.deepEqual(ended(), [
      ['quiet', 0, 100, reason],
      ['busy', 0, 200, reason],
    ]);
    assert.equal(span('busy')?.attributes['spandrel.interrupted'], interrupted);
    assert.equal(span('quiet')?.attributes['spandrel.interrupted'], undefined);
    assert.deepEqual(discarded, ['click']);
    assert.equal(activities.current, undefined);
    assert.equal(platform.loose.timers, 0);
  });
}

for (const signal of ['visible', 'unloading'] as const) {
  test(`activity: ${signal} ends nothing`, () => {
    const { activities, begin, child } = createPage();
    begin('a');
    child();
    activities.page(signal);
    assert.equal(activities.current?.endedAt, undefined);
    assert.ok(activities.current);
  });
}

test('activity: a moment’s activity is the one that began last, of the latest 20', async () => {
  const { activities, platform, begin, child } = createPage();
  const first = begin('first');
  const open = child();
  await platform.advance(100);
  const second = begin('second');
  await platform.advance(1_000);
  open.end();
  assert.equal(activities.at(BEGUN + 50), first);
  assert.equal(activities.at(BEGUN + 100), second);
  // The second was quiet all along.
  assert.equal(activities.at(BEGUN + 500), first);
  assert.equal(activities.at(BEGUN - 1), undefined);
  assert.equal(activities.at(BEGUN + 5_000), undefined);
  for (let more = 0; more < 18; more++) begin('more');
  assert.equal(activities.at(BEGUN + 50), first);
  begin('more');
  assert.equal(activities.at(BEGUN + 50), undefined);
});

test('activity: the parent is the active span, else the root of what is on, else nothing', () => {
  const { activities, begin, tracer } = createPage();
  assert.equal(activities.parent(), context.active());
  const { root } = begin('a');
  assert.equal(trace.getSpan(activities.parent()), root);
  assert.equal(context.active(), ROOT_CONTEXT);
  const own = tracer.startSpan('own', {}, ROOT_CONTEXT);
  const { active } = context;
  context.active = () => trace.setSpan(ROOT_CONTEXT, own);
  try {
    assert.equal(trace.getSpan(activities.parent()), own);
  } finally {
    context.active = active;
  }
});

test('activity: continues the server’s trace, with links', () => {
  const { begin, child } = createPage();
  const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
  const other = { context: { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceFlags: 1 } };
  const { root } = begin('load', { parent, links: [other] });
  assert.equal(root.spanContext().traceId, parent.traceId);
  assert.equal(parentOf(root), parent.spanId);
  assert.deepEqual((root as unknown as { links: unknown[] }).links, [other]);
  assert.equal(parentOf(child()), root.spanContext().spanId);
});

test('activity: spans of other traces and ends of unknown ones do not matter', async () => {
  const { platform, begin, child, ended } = createPage();
  begin('a');
  child('other', ROOT_CONTEXT);
  await platform.advance(1_000);
  assert.deepEqual(ended(), [['a', 0, 0, 'quiet']]);
});

test('activity: stopping ends what is on and leaves no timer', () => {
  const { activities, platform, begin, ended } = createPage();
  begin('a');
  begin('b', { tentative: true });
  activities.stop();
  assert.deepEqual(ended(), [['a', 0, 0, 'shutdown']]);
  assert.equal(platform.loose.timers, 0);
  assert.equal(activities.at(BEGUN), undefined);
});

type Step = 'begin' | 'tentative' | 'child' | 'end' | 'hold' | 'release' | 'become' | 'hidden' | number;
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom('begin', 'tentative', 'child', 'end', 'hold', 'release', 'become', 'hidden'),
  fc.integer({ min: 0, max: 3_000 }),
);

test('activity: whatever happens, each root ends or is discarded once, within 31 s, and no timer is left', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { activities, platform, begin, child, ended, discarded } = createPage();
      const open: Span[] = [];
      const holds: (() => void)[] = [];
      let begun = 0;
      for (const what of steps) {
        if (typeof what === 'number') await platform.advance(what);
        else if (what === 'begin' || what === 'tentative')
          begin(`${begun++}`, { tentative: what === 'tentative' });
        else if (what === 'child' && activities.current) open.push(child());
        else if (what === 'end') open.splice(open.length >> 1, 1)[0]?.end();
        else if (what === 'hold' && activities.current) holds.push(activities.current.hold());
        else if (what === 'release') holds.shift()?.();
        else if (what === 'become') activities.current?.become('route', 'x');
        else if (what === 'hidden') activities.page('hidden');
        assert.equal(activities.current?.endedAt, undefined);
      }
      await platform.advance(31_000);
      assert.equal(activities.current, undefined);
      assert.equal(ended().length + discarded.length, begun);
      assert.equal(platform.loose.timers, 0);
      for (const [name, start, end] of ended()) assert.ok(Number(end) >= Number(start), String(name));
      assert.deepEqual([...platform.exceptions], []);
    }),
    { numRuns: 100 },
  );
});
