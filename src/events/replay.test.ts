import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import fc from 'fast-check';
import { assertEventLedger, idOf, millisOfTime, START, testEvents } from '../testing/event-spans.js';
import type { EventSpansOptions } from './options.js';

type Step =
  | { act: 'handle'; name: string; payload: unknown; at: unknown }
  | { act: 'record'; name: string; payload: unknown; from: number; to: number }
  | { act: 'endTrack'; track: string }
  | { act: 'endFromOutside'; which: number; all: boolean }
  | { act: 'advance'; millis: number }
  | { act: 'finalize'; at: number | undefined };

const NAMES = ['a', 'b', 'c.d'].flatMap((name) => [
  name,
  `${name}.started`,
  `${name}.completed`,
  `${name}.failed`,
]);
const name = fc.constantFrom(...NAMES, 'a.started', 'b.started', '');
const id = fc.constantFrom(1, 2, '3', undefined);
const at = fc.double({ min: START - 1e4, max: START + 1e4, noNaN: true });
const payload = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ id, parent_id: id, thread: fc.constantFrom('w', 7, undefined), n: fc.integer() }),
  },
  { weight: 1, arbitrary: fc.anything({ withBigInt: true, withDate: true, withMap: true }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 60,
    arbitrary: fc.record({
      act: fc.constant('handle' as const),
      name,
      payload,
      at: fc.oneof(
        { weight: 6, arbitrary: fc.constant(undefined) },
        { weight: 3, arbitrary: at },
        fc.anything(),
      ),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ act: fc.constant('record' as const), name, payload, from: at, to: at }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('endTrack' as const), track: fc.constantFrom('main', 'w', '7') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('endFromOutside' as const),
      which: fc.integer({ min: 0, max: 20 }),
      all: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('advance' as const),
      millis: fc.constantFrom(0, 1, 700, 61_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('finalize' as const), at: fc.option(at, { nil: undefined }) }),
  },
);
const settings: fc.Arbitrary<Partial<EventSpansOptions>> = fc.record({
  maxOpen: fc.constantFrom(1, 3, 100),
  maxTracks: fc.constantFrom(1, 2, 10),
  maxEventsPerSpan: fc.constantFrom(1, 2, 100),
  maxAttributes: fc.constantFrom(1, 3, 128),
  staleMillis: fc.constantFrom(1_000, 60_000),
  routes: fc.constantFrom(
    [],
    [{ match: 'a', sampleRate: 0.5 }],
    [{ match: 'c*', sampleRate: 0 }],
    [{ match: 'b*', enabled: false }],
  ),
});

const LEAST = { maxOpen: 1, maxTracks: 1, maxEventsPerSpan: 1, maxAttributes: 1, staleMillis: 1_000 };
const AGAIN: Step = {
  act: 'handle',
  name: 'a.started',
  payload: { id: '3', parent_id: 1, thread: 7, n: 0 },
  at: undefined,
};
/** The same operation, of the same track, twice in one moment: their ids were alike once. */
const TWICE_AT_ONCE: Step[] = [AGAIN, { act: 'endTrack', track: '7' }, AGAIN];

function play(options: Partial<EventSpansOptions>, steps: readonly Step[]): ReturnType<typeof testEvents> {
  const events = testEvents({ track: 'thread', ...options });
  const { spans, begun, ended } = events;
  for (const one of steps) {
    switch (one.act) {
      case 'handle': {
        const before = spans.stats();
        const wasTaken = spans.handle(one.name, one.payload as never, one.at as never);
        const { started, stopped, events: told, handled } = spans.stats();
        assert.equal(handled, before.handled + 1);
        assert.equal(started + stopped + told > before.started + before.stopped + before.events, wasTaken);
        break;
      }
      case 'record':
        spans.record(one.name, one.payload as never, one.from, one.to);
        break;
      case 'endTrack':
        spans.endTrack(one.track);
        break;
      case 'endFromOutside': {
        // As the trace buffer does when the page leaves: all, later ones first.
        const open = begun
          .map(({ span }) => span)
          .filter((span) => !span.ended)
          .reverse();
        const chosen = one.all ? open : open.slice(one.which, one.which + 1);
        for (const span of chosen) span.end();
        break;
      }
      case 'advance':
        events.advance(one.millis);
        break;
      case 'finalize':
        spans.finalize(one.at);
        break;
    }
    assertEventLedger(spans.stats());
    const { open, opened, closed, tracks, exceptions, ignored } = spans.stats();
    assert.deepEqual([opened, closed], [begun.length, ended.length]);
    assert.equal(spans.snapshot().spans.length, open);
    assert.ok(
      open <= (options.maxOpen ?? 0) + (options.maxTracks ?? 0) + 1 && tracks <= (options.maxTracks ?? 0),
    );
    assert.deepEqual([exceptions, ignored.exception], [0, undefined]);
  }
  return events;
}

test('events: whatever comes, each call is counted once, each span is handed on once, parents come before', () => {
  fc.assert(
    fc.property(settings, fc.array(step, { maxLength: 60 }), (options, steps) => {
      const { spans, begun, ended } = play(options, steps);
      spans.finalize();
      assertEventLedger(spans.stats());
      const { open, tracks, started, stopped, interrupted } = spans.stats();
      assert.deepEqual([open, tracks], [0, 0]);
      assert.equal(started, stopped + interrupted);

      const ids = begun.map(({ span }) => idOf(span));
      assert.equal(new Set(ids).size, ids.length, 'ids are unlike');
      assert.deepEqual(new Set(ended).size, ended.length, 'handed on once');
      assert.deepEqual(ended.map(idOf).sort(), [...ids].sort());
      const traceIds = new Set(ended.map((span) => span.spanContext().traceId));
      assert.ok(traceIds.size <= 1);

      const byId = new Map(ended.map((span) => [idOf(span), span]));
      for (const [index, span] of ended.entries()) {
        const parentId = span.parentSpanContext?.spanId;
        assert.equal(parentId === undefined, index === ended.length - 1, 'one root, and it is the last');
        assert.ok(!parentId || byId.has(parentId));
        let above: typeof span | undefined = span;
        for (let steps = 0; above; steps++) {
          assert.ok(steps <= ended.length, 'a circle');
          above = byId.get(above.parentSpanContext?.spanId ?? '');
        }
        assert.ok(millisOfTime(span.duration) >= 0);
        assert.ok(span.ended && span.events.length <= (options.maxEventsPerSpan ?? 0));
        // The marks and the session's id are beyond the limit.
        assert.ok(Object.keys(span.attributes).length <= (options.maxAttributes ?? 0) + 3);
        const root = ended.at(-1) ?? span;
        assert.ok(millisOfTime(root.startTime) <= millisOfTime(span.startTime), 'the root was there before');
      }
      if (ended.length) assert.ok(JsonTraceSerializer.serializeRequest(ended as never));
    }),
    { numRuns: 400, examples: [[{ ...LEAST, routes: [] }, TWICE_AT_ONCE]] },
  );
});

test('events: on one track with ends in order and times that go on, children lie within their parents', () => {
  const tree: fc.Arbitrary<unknown> = fc.array(
    fc.array(fc.array(fc.array(fc.constant([]), { maxLength: 2 }), { maxLength: 3 }), { maxLength: 3 }),
    {
      maxLength: 4,
    },
  );
  fc.assert(
    fc.property(tree, fc.boolean(), (shape, isFinalized) => {
      const { spans, ended, advance } = testEvents();
      let count = 0;
      const walk = (children: unknown[], path: string): void => {
        for (const child of children) {
          const own = `${path}/${count++}`;
          advance(0.5);
          spans.handle(`${own}.started`);
          walk(child as unknown[], own);
          advance(0.25);
          if (!isFinalized) spans.handle(`${own}.completed`);
        }
      };
      walk(shape as unknown[], '');
      spans.finalize();
      const byId = new Map(ended.map((span) => [idOf(span), span]));
      for (const span of ended) {
        const parent = byId.get(span.parentSpanContext?.spanId ?? '');
        if (!parent) continue;
        assert.ok(millisOfTime(parent.startTime) <= millisOfTime(span.startTime));
        assert.ok(millisOfTime(parent.endTime) >= millisOfTime(span.endTime));
        assert.ok(ended.indexOf(parent) > ended.indexOf(span), 'inner first');
        if (!isFinalized && span.name.lastIndexOf('/') > 0) {
          assert.equal(parent.name, span.name.slice(0, span.name.lastIndexOf('/')));
        }
      }
    }),
  );
});

test('events: a replay gives the same spans with the same ids, byte for byte', () => {
  fc.assert(
    fc.property(
      settings,
      fc.array(step, { maxLength: 60 }),
      fc.tuple(fc.integer(), fc.integer()),
      (options, steps, [id, other]) => {
        const bytes = (session: EventSpansOptions['session'] & object): string => {
          const { spans, ended } = play({ ...options, session }, steps);
          spans.finalize();
          return ended.length
            ? Buffer.from(JsonTraceSerializer.serializeRequest(ended as never) ?? []).toString()
            : '';
        };
        const first = bytes({ id, startedAt: START });
        assert.equal(bytes({ id, startedAt: START }), first);
        if (first && other !== id) assert.notEqual(bytes({ id: other, startedAt: START }), first);
      },
    ),
  );
});

test('events: the seed has its ids, by way of the options', () => {
  const { spans, ended } = testEvents({ session: { id: 123, startedAt: 0.001 }, mainTrack: 456 });
  spans.handle('a');
  spans.finalize();
  const root = ended.at(-1);
  assert.deepEqual(root?.spanContext(), {
    ...{ traceId: '3c4c80216a2780193733f368a185bdfe', spanId: '2084920fe00c0faf', traceFlags: 1 },
  });
});
