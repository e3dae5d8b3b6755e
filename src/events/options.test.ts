import assert from 'node:assert/strict';
import { test } from 'node:test';
import { START, testEvents } from '../testing/event-spans.js';
import { EventSpans } from './event-spans.js';
import { EVENT_LIMITS } from './options.js';

const processor = { onStart() {}, onEnd() {} };
const make = (options: object) => new EventSpans({ processor, service: 'tests', ...options } as never);

const BAD: [string, object][] = [
  ['processor', { processor: undefined }],
  ['processor', { processor: { onStart() {} } }],
  ['service', { service: undefined }],
  ['service', { service: '' }],
  ['service', { resource: { attributes: {} } }],
  ['resource', { service: undefined, resource: {} }],
  ['session.id', { session: { id: '' } }],
  ['session.id', { session: { id: {} } }],
  ['session.startedAt', { session: { startedAt: -1 } }],
  ['session.startedAt', { session: { startedAt: 'now' } }],
  ['session.name', { session: { name: 7 } }],
  ['EventSpans session', { session: { start: 1 } }],
  ['track', { track: 7 }],
  ['track', { track: [''] }],
  ['mainTrack', { mainTrack: null }],
  ['id', { id: [7] }],
  ['parent', { parent: '' }],
  ['endings.started', { endings: { started: '' } }],
  ['endings.completed', { endings: { completed: '.started' } }],
  ['endings.failed', { endings: { failed: [] } }],
  ['EventSpans endings', { endings: { ended: '.ended' } }],
  ['routes', { routes: {} }],
  ['routes[1].match', { routes: [{ match: 'a' }, { match: 'a*b' }] }],
  ['routes[0].match', { routes: [{ match: '' }] }],
  ['routes[0].enabled', { routes: [{ match: 'a', enabled: 1 }] }],
  ['routes[0].sampleRate', { routes: [{ match: 'a', sampleRate: 1.1 }] }],
  ['routes[0].attributes', { routes: [{ match: 'a', attributes: 7 }] }],
  ['EventSpans routes[0]', { routes: [{ match: 'a', rate: 1 }] }],
  ['redactKeys', { redactKeys: 'password' }],
  ['redactKeys', { redactKeys: [''] }],
  ['EventSpans', { tracks: 'thread' }],
  ...Object.entries(EVENT_LIMITS).flatMap(([name, [, least, most]]): [string, object][] =>
    [least - 1, most + 1, 1.5, '7'].map((value) => [name, { [name]: value }]),
  ),
];
for (const [name, options] of BAD) {
  test(`options: ${JSON.stringify(options)} is refused by the name of ${name}`, () => {
    assert.throws(
      () => make(options),
      (error) => error instanceof TypeError && error.message.includes(name),
    );
  });
}

test('options: the limits take their ends', () => {
  for (const [name, [fallback, least, most]] of Object.entries(EVENT_LIMITS)) {
    for (const value of [fallback, least, most]) make({ [name]: value });
  }
  assert.throws(() => new EventSpans(undefined as never), TypeError);
});

test('options: a resource of the app, the names of session and main track', () => {
  const resource = { attributes: { 'service.name': 'app' } };
  const { spans, span, ended } = testEvents({
    ...{
      resource,
      session: { name: 'visit', startedAt: new Date(START - 10) },
      mainTrack: 'ui',
      track: ['tab', 'thread'],
    },
    service: undefined as never,
  });
  spans.handle('a', { thread: 'w', tab: 3 });
  spans.handle('b', { thread: 'w' });
  spans.handle('c');
  spans.finalize();
  assert.deepEqual(
    ended.map(({ name }) => name),
    ['ui', 'w', '3', 'visit'],
  );
  for (const { resource: own, attributes } of ended) {
    assert.equal(own, resource);
    // A random session is no session of anybody's.
    assert.equal(attributes['session.id'], undefined);
  }
  // The main track is as old as the session.
  assert.deepEqual(span('ui').startTime, span('visit').startTime);
  assert.deepEqual(span('visit').startTime, [START / 1_000 - 1, 990_000_000]);
});

test('stats: a copy; snapshot: what is open, plain enough for JSON; reset: begins anew', () => {
  const { spans, names, ended, advance } = testEvents({ track: 'thread' });
  assert.deepEqual(spans.snapshot().spans, []);
  spans.handle('outer.started', { list: [1] });
  advance(5);
  spans.handle('inner.started', { thread: 'w', parent_id: 'x' });
  spans.handle('tick', { thread: 'w' });
  spans.handle('done.started');
  spans.handle('done.completed');
  const snapshot = spans.snapshot();
  assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), snapshot);
  assert.deepEqual(snapshot.session, { id: 'tests', name: 'session', startedAtMillis: START });
  assert.match(snapshot.traceId ?? '', /^[\da-f]{32}$/);
  assert.deepEqual([snapshot.takenAtMillis, snapshot.finalized], [START + 5, false]);
  assert.deepEqual(
    snapshot.spans.map(({ kind, name, startedAtMillis, eventCount }) => [
      kind,
      name,
      startedAtMillis - START,
      eventCount,
    ]),
    [
      ['session', 'session', 0, 0],
      ['track', 'main', 0, 0],
      ['track', 'w', 5, 0],
      ['operation', 'outer', 0, 0],
      ['operation', 'inner', 5, 1],
    ],
  );
  const [root, main, worker, outer, inner] = snapshot.spans;
  assert.deepEqual(
    [root, main, worker, outer, inner].map((span) => span?.parentSpanId),
    [undefined, root?.spanId, root?.spanId, main?.spanId, worker?.spanId],
  );
  // Copies: nothing can be done to what is open.
  const list = outer?.attributes['list'] as number[] | undefined;
  list?.push(2);
  spans.stats().ignored.name = 7;
  assert.deepEqual(spans.snapshot().spans[3]?.attributes['list'], [1]);
  assert.deepEqual(spans.stats().ignored, {});

  assert.throws(() => spans.reset({ startedAt: -1 }), TypeError);
  assert.equal(spans.stats().open, 5);
  spans.reset({ id: 'next' });
  assert.deepEqual(names().slice(1), ['inner', 'outer', 'w', 'main', 'session']);
  const { handled, opened, open, tracks } = spans.stats();
  assert.deepEqual([handled, opened, open, tracks], [0, 0, 0, 0]);
  assert.equal(spans.handle('again.started'), true);
  spans.finalize();
  assert.equal(spans.snapshot().finalized, true);
  assert.deepEqual(spans.snapshot().spans, []);
  assert.equal(new Set(ended.map((span) => span.spanContext().traceId)).size, 2);
  assert.equal(ended.at(-1)?.attributes['session.id'], 'next');
});
