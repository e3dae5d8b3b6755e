import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Context, type HrTime, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { createPageClock } from '../platform/clock.js';
import { createSpanClock } from './span-clock.js';

const HOUR = 3_600_000;
const WALL = 1_700_000_000_000;

function createPage() {
  const at = { wall: WALL, monotonic: 500 };
  const scope = { performance: { now: () => at.monotonic }, Date: { now: () => at.wall } } as never;
  const onStart = createSpanClock(createPageClock(scope), scope);
  const start = (millis: number, parent: Context = ROOT_CONTEXT) => {
    const attributes: Record<string, unknown> = {};
    const startTime: HrTime = [Math.floor(millis / 1e3), Math.round((millis % 1e3) * 1e6)];
    const span = {
      startTime,
      setAttribute: (name: string, value: unknown) => void Object.assign(attributes, { [name]: value }),
    };
    onStart(span as never, parent);
    const [seconds, nanos] = span.startTime;
    return {
      context: trace.setSpan(ROOT_CONTEXT, span as never),
      startedAt: Math.round(seconds * 1e3 + nanos / 1e6),
      nanos,
      shift: attributes['spandrel.clock.shift_millis'],
    };
  };
  return { at, start };
}

for (const [name, jump] of Object.entries({ forward: HOUR, back: -HOUR })) {
  test(`span clock: set ${name}, a child and its child stay on the clock of their trace`, () => {
    const { at, start } = createPage();
    const root = start(WALL);
    at.wall += jump + 20;
    at.monotonic += 20;
    const child = start(at.wall, root.context);
    assert.deepEqual([child.startedAt, child.shift], [WALL + 20, jump]);
    const grandchild = start(at.wall, child.context);
    assert.deepEqual([grandchild.startedAt, grandchild.shift], [WALL + 20, jump]);
    const next = start(at.wall);
    assert.deepEqual([next.startedAt, next.shift], [at.wall, undefined]);
    assert.equal(start(at.wall, next.context).shift, undefined);
  });
}

test('span clock: a start that was given on the clock of the trace stays', () => {
  const { at, start } = createPage();
  const root = start(WALL);
  at.wall += HOUR;
  assert.deepEqual([start(WALL - 300, root.context).startedAt], [WALL - 300]);
  assert.equal(start(WALL - 300, root.context).shift, undefined);
});

test('span clock: what a clock drifts within a trace does not part its spans, and is no jump', () => {
  const { at, start } = createPage();
  const root = start(WALL);
  at.wall += 900;
  at.monotonic += 100;
  const child = start(at.wall, root.context);
  assert.deepEqual([child.startedAt, child.shift], [WALL + 100, undefined]);
});

test('span clock: a start that was given stays, however little the clock has drifted', () => {
  const { at, start } = createPage();
  const root = start(WALL);
  at.wall += 900;
  assert.equal(start(WALL + 3, root.context).startedAt, WALL + 3);
});

test('span clock: a span of the page and one of the user in it are in order, to the fraction', () => {
  const { at, start } = createPage();
  const root = start(WALL);
  at.monotonic += 0.9;
  const outer = start(at.wall, root.context);
  at.wall += 1;
  at.monotonic += 0.05;
  const inner = start(at.wall, outer.context);
  const micros = [outer, inner].map(({ nanos }) => Math.round(nanos / 1e3));
  assert.deepEqual(micros, [900, 950]);
});
