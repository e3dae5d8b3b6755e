import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handMade } from '../testing/encoding.js';
import { type TestPlatform, testPlatform } from '../testing/platform.js';
import type { OpenSpan, SpanGroup } from './model.js';
import { createTraceBuffer, type TraceBuffer } from './trace-buffer.js';

interface World {
  platform: TestPlatform;
  buffer: TraceBuffer;
  groups: SpanGroup[];
  dropped: number;
  /** Lets what was emitted be safe. */
  release(): void;
  start(traceId: string): OpenSpan;
  end(traceId: string, code?: number): void;
}

function setUp({ scheduledDelayMillis = 1_000, maxBufferedSpans = 5_000, held = false } = {}): World {
  const platform = testPlatform();
  const releases: (() => void)[] = [];
  const groups: SpanGroup[] = [];
  const buffer = createTraceBuffer(
    {
      monotonic: platform.monotonic,
      after: platform.after,
      emit(emitted) {
        groups.push(...emitted);
        return new Promise<void>((resolve) => (held ? releases.push(resolve) : resolve()));
      },
      dropped: (_reason, spans) => {
        world.dropped += spans;
      },
      forget() {},
      guard: (task) => task(),
    },
    { scheduledDelayMillis, maxBufferedSpans },
  );
  const span = (traceId: string, code = 0): OpenSpan =>
    Object.assign(
      handMade({ spanContext: () => ({ traceId, spanId: 'a', traceFlags: 1 }), status: { code } }),
      {
        setAttribute() {},
        end: () => buffer.ended(handMade()),
      },
    );
  const world: World = {
    ...{ platform, buffer, groups, dropped: 0 },
    release() {
      for (const resolve of releases.splice(0)) resolve();
    },
    start(traceId) {
      const started = span(traceId);
      started.end = () => buffer.ended(started);
      buffer.started(started);
      return started;
    },
    end: (traceId, code) => buffer.ended(span(traceId, code)),
  };
  return world;
}

const sizes = ({ groups }: World): number[] => groups.map(({ spans }) => spans.length);

test('trace buffer: a complete trace waits 500 ms for late children, then for company', async () => {
  const world = setUp();
  const root = world.start('a');
  const child = world.start('a');
  child.end();
  root.end();
  await world.platform.advance(500);
  world.start('a').end();
  await world.platform.advance(1_400);
  assert.deepEqual(sizes(world), []);
  await world.platform.advance(700);
  assert.deepEqual(sizes(world), [3]);
});

test('trace buffer: while a child is open the trace is not complete', async () => {
  const world = setUp();
  const child = world.start('a');
  world.end('a');
  await world.platform.advance(29_000);
  assert.deepEqual(sizes(world), []);
  child.end();
  await world.platform.advance(2_000);
  assert.deepEqual(sizes(world), [2]);
});

test('trace buffer: traces that are ready go together, each in a group of its own, in end order', async () => {
  const world = setUp();
  for (const traceId of ['a', 'b', 'a', 'c']) world.end(traceId);
  await world.platform.advance(3_000);
  assert.deepEqual(
    world.groups.map(({ traceId, spans }) => [traceId, spans.length]),
    [
      ['a', 2],
      ['b', 1],
      ['c', 1],
    ],
  );
});

test('trace buffer: a trace that goes on is handed on in parts of 512, without waiting', async () => {
  const world = setUp({ scheduledDelayMillis: 300_000 });
  world.start('a');
  for (let count = 0; count < 1_100; count++) world.end('a');
  await world.platform.advance(100);
  assert.deepEqual(sizes(world), [512, 512]);
  assert.equal(world.buffer.spanCount, 76);
});

test('trace buffer: the oldest ended span of an open trace waits 30 s at most, and a late one makes a further part', async () => {
  const world = setUp({ scheduledDelayMillis: 0 });
  const root = world.start('a');
  world.end('a');
  await world.platform.advance(30_000);
  assert.deepEqual(sizes(world), []);
  await world.platform.advance(200);
  assert.deepEqual(sizes(world), [1]);
  root.end();
  await world.platform.advance(700);
  assert.deepEqual(sizes(world), [1, 1]);
});

test('trace buffer: flush hands on everything that ended, in this task, and keeps what is open', () => {
  const world = setUp();
  world.start('a');
  world.end('a');
  world.end('b');
  world.buffer.flush();
  assert.deepEqual(sizes(world), [1, 1]);
  assert.deepEqual([world.buffer.spanCount, world.buffer.openCount], [0, 1]);
  world.buffer.flush();
  assert.equal(world.groups.length, 2);
});

test('trace buffer: over the cap whole traces go, oldest first and errors last, down to nine tenths', () => {
  const world = setUp({ maxBufferedSpans: 512 });
  const byTrace: [string, number][] = [
    ['old', 100],
    ['failed', 100],
    ['middle', 100],
    ['new', 212],
  ];
  for (const [traceId, count] of byTrace) {
    for (let span = 0; span < count; span++) world.end(traceId, traceId === 'failed' && span === 50 ? 2 : 0);
  }
  assert.equal(world.dropped, 0);
  world.end('last');
  assert.equal(world.dropped, 100);
  world.buffer.flush();
  assert.deepEqual(world.groups.map(({ traceId }) => traceId).sort(), ['failed', 'last', 'middle', 'new']);
  assert.equal(world.buffer.highWater, 513);
});

test('trace buffer: what is being emitted counts against the cap until it is safe', async () => {
  const world = setUp({ maxBufferedSpans: 512, held: true });
  for (let span = 0; span < 512; span++) world.end(`t${span}`);
  world.buffer.flush();
  for (let span = 0; span < 10; span++) world.end(`u${span}`);
  assert.equal(world.dropped, 10);
  world.release();
  await world.platform.advance(0);
  world.end('v');
  assert.equal(world.dropped, 10);
});

test('trace buffer: nothing is left of traces that were handed on, dropped or forgotten', async () => {
  const world = setUp({ maxBufferedSpans: 512 });
  for (let span = 0; span < 600; span++) world.end(`t${span}`);
  for (let span = 0; span < 512; span++) world.end('exactly');
  await world.platform.advance(3_000);
  assert.equal(world.platform.loose.timers, 0, 'something is still waited for');
  world.start('stale');
  await world.platform.advance(29 * 60_000);
  assert.equal(world.buffer.openCount, 1);
  await world.platform.advance(2 * 60_000);
  assert.equal(world.buffer.openCount, 0);
  assert.equal(world.platform.loose.timers, 0);
});

test('trace buffer: open spans are watched up to 5,000, and sent all the same beyond', () => {
  const world = setUp({ maxBufferedSpans: 100_000 });
  const spans = Array.from({ length: 6_000 }, () => world.start('a'));
  world.buffer.flush();
  assert.equal(world.buffer.openCount, 5_000);
  for (const span of spans) span.end();
  world.buffer.flush();
  assert.equal(
    sizes(world).reduce((sum, size) => sum + size, 0),
    6_000,
  );
  assert.equal(world.buffer.openCount, 0);
});

test('trace buffer: after close spans are ignored and no timer is set', async () => {
  const world = setUp();
  world.start('a');
  world.end('b');
  world.buffer.close();
  world.start('c');
  world.end('c');
  assert.equal(world.platform.loose.timers, 0);
  assert.equal(world.buffer.spanCount, 1);
});

test('trace buffer: a discarded span leaves nothing, and what ended with it goes on its way', async () => {
  const { buffer, groups, platform, start, end } = setUp({ scheduledDelayMillis: 0 });
  const span = start('discarded');
  end('other');
  buffer.discard(span);
  assert.equal(buffer.openCount, 0);
  await platform.advance(1_000);
  assert.deepEqual(
    groups.map(({ traceId }) => traceId),
    ['other'],
  );
  assert.equal(platform.loose.timers, 0);
});
