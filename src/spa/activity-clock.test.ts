import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-web';
import { createPageClock } from '../platform/clock.js';
import { testPlatform } from '../testing/platform.js';
import { createActivities } from './activity.js';

const HOUR = 3_600_000;

function createPage() {
  const platform = testPlatform();
  const clock = createPageClock({
    performance: { now: platform.monotonic },
    Date: { now: platform.now },
  } as never);
  const stored = new InMemorySpanExporter();
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
  const activities = createActivities({ tracer, clock, platform, discard: () => {} });
  const root = (): Record<string, unknown> | undefined => {
    const span = stored.getFinishedSpans().find(({ name }) => name === 'a');
    if (!span) return undefined;
    const [seconds, nanos] = span.duration;
    return { ...span.attributes, millis: Math.round(seconds * 1e3 + nanos / 1e6) };
  };
  return { activities, platform, tracer, root };
}

test('activity: a child that was recorded afterwards does not prolong it', async () => {
  const { activities, platform, tracer, root } = createPage();
  const activity = activities.begin({ kind: 'load', name: 'a' });
  const { startedAt } = activity;
  await platform.advance(800);
  const options = { startTime: activity.wall(startedAt + 100) };
  tracer.startSpan('resource', options, activity.context).end(activity.wall(startedAt + 250));
  await platform.advance(1_000);
  assert.equal(root()?.millis, 250);
  assert.equal(root()?.['spandrel.activity.end'], 'quiet');
});

test('activity: over before anyone looked, it ends there at once', () => {
  const { activities, root } = createPage();
  const activity = activities.begin({ kind: 'load', name: 'a' });
  activity.hold();
  activity.end(activity.startedAt + 700);
  assert.equal(root()?.millis, 700);
  assert.equal(activities.current, undefined);
});

test('activity: the machine slept, which is told and not counted', async () => {
  const { activities, platform, root } = createPage();
  activities.begin({ kind: 'route', name: 'a' });
  platform.jump(8 * HOUR);
  await platform.advance(1_100);
  assert.equal(root()?.['spandrel.suspended_millis'], 8 * HOUR);
  assert.equal(root()?.millis, 0);
});

test('activity: after the main thread was held up, observers may tell what it was', async () => {
  const { activities, platform, root } = createPage();
  const activity = activities.begin({ kind: 'route', name: 'a' });
  platform.jump(3_000);
  await platform.advance(1_000);
  assert.equal(activity.endedAt, undefined);
  await platform.advance(100);
  assert.equal(root()?.['spandrel.activity.end'], 'quiet');
});

test('activity: found by a stretch that begins before it, or goes on after it', () => {
  const { activities } = createPage();
  const first = activities.begin({ kind: 'route', name: 'a', startedAt: 100 });
  first.end(200);
  const second = activities.begin({ kind: 'route', name: 'b', startedAt: 300 });
  assert.equal(activities.during(40, 99), undefined);
  assert.equal(activities.during(40, 100), first);
  assert.equal(activities.during(200, 250), first);
  assert.equal(activities.during(201, 299), undefined);
  assert.equal(activities.during(150, 300), second);
  assert.equal(activities.at(200), first);
});

test('activity: a busy page is not asleep', async () => {
  const { activities, platform, root } = createPage();
  activities.begin({ kind: 'route', name: 'a' });
  platform.jump(4_000);
  await platform.advance(1_000);
  assert.equal(root()?.['spandrel.suspended_millis'], undefined);
});

test('activity: never longer than 30 s, should its timers come late', async () => {
  const { activities, platform, root } = createPage();
  const first = activities.begin({ kind: 'route', name: 'a' });
  first.hold();
  // As when a monotonic clock goes on while the machine sleeps: what wakes it comes before the timers.
  first.end(first.startedAt + HOUR);
  assert.equal(root()?.millis, 30_000);
  await platform.advance(0);
});

test('activity: the wall clock set within it changes nothing of its length', async () => {
  const { activities, platform, root } = createPage();
  const activity = activities.begin({ kind: 'route', name: 'a' });
  const release = activity.hold();
  await platform.advance(2_000);
  platform.jump(-HOUR);
  // Another trace settles the clock anew.
  activities.begin({ kind: 'route', name: 'b' });
  release();
  assert.equal(root()?.millis, 2_000);
});

test('activity: however much happens within it, one timer looks whether it is quiet', async () => {
  const { activities, platform, tracer, root } = createPage();
  const { timers } = platform.loose;
  let set = 0;
  const { after } = platform;
  platform.after = (millis, task) => {
    set++;
    return after(millis, task);
  };
  const { context } = activities.begin({ kind: 'route', name: 'a' });
  const begun = set;
  for (let child = 0; child < 10; child++) {
    tracer.startSpan('child', {}, context).end();
    await platform.advance(60);
  }
  assert.equal(set, begun);
  await platform.advance(930);
  assert.equal(root(), undefined, 'not a second since the last child');
  await platform.advance(20);
  assert.equal(root()?.['spandrel.activity.end'], 'quiet');
  assert.equal(root()?.millis, 540);
  assert.equal(platform.loose.timers, timers);
});

test('activity: it sleeps after its last child, with the timer of before: told as well', async () => {
  const { activities, platform, tracer, root } = createPage();
  const { context } = activities.begin({ kind: 'route', name: 'a' });
  await platform.advance(500);
  tracer.startSpan('child', {}, context).end();
  platform.jump(8 * HOUR);
  await platform.advance(1_100);
  assert.equal(root()?.['spandrel.suspended_millis'], 8 * HOUR);
});
