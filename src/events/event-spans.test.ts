import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { assertEventLedger, idOf, millisOfTime, START, testEvents } from '../testing/event-spans.js';

const MARK = 'spandrel.interrupted';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes in use, after what is not has been collected. */
function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

test('events: a session is a root, a track and an operation, each handed on as it ends', () => {
  const { spans, begun, names, span, parentOf, advance } = testEvents();
  assert.equal(spans.handle('checkout.started', { items: 3 }), true);
  assert.deepEqual(
    begun.map(({ span }) => span.name),
    ['session', 'main', 'checkout'],
  );
  advance(20.5);
  assert.equal(spans.handle('checkout.completed', { total: 9.5 }), true);
  assert.deepEqual(names(), ['checkout']);
  advance(100);
  spans.finalize();
  assert.deepEqual(names(), ['checkout', 'main', 'session']);

  const checkout = span('checkout');
  assert.deepEqual(checkout.attributes, { items: 3, total: 9.5, 'session.id': 'tests' });
  assert.equal(checkout.status.code, SpanStatusCode.OK);
  assert.deepEqual(checkout.startTime, [START / 1_000, 0]);
  assert.deepEqual(checkout.duration, [0, 20_500_000]);
  assert.equal(parentOf('checkout'), 'main');
  assert.equal(parentOf('main'), 'session');
  assert.equal(span('session').parentSpanContext, undefined);
  assert.equal(span('main').attributes['thread.name'], 'main');
  assert.deepEqual(span('session').duration, [0, 120_500_000]);
  assert.equal(checkout.resource.attributes['service.name'], 'tests');
  for (const { attributes } of [span('main'), span('session')]) assert.equal(attributes[MARK], undefined);
  assertEventLedger(spans.stats());
});

test('events: a processor is given the parent in the context, as from a tracer', () => {
  const { spans, begun } = testEvents();
  spans.handle('a.started');
  spans.handle('b.started');
  const [root, main, a, b] = begun;
  assert.equal(trace.getSpanContext(root?.context as never), undefined);
  for (const [parent, child] of [
    [root, main],
    [main, a],
    [a, b],
  ]) {
    assert.deepEqual(trace.getSpanContext(child?.context as never), parent?.span.spanContext());
    assert.deepEqual(child?.span.parentSpanContext, parent?.span.spanContext());
  }
});

test('events: operations nest by the stack of their track', () => {
  const { spans, parentOf } = testEvents({ track: 'thread' });
  spans.handle('outer.started');
  spans.handle('other.started', { thread: 'w' });
  spans.handle('inner.started');
  spans.handle('inner.completed');
  spans.handle('second.started');
  spans.handle('second.completed');
  spans.handle('other.completed', { thread: 'w' });
  spans.handle('outer.completed');
  spans.finalize();
  assert.deepEqual(['inner', 'second', 'other', 'outer', 'w', 'main'].map(parentOf), [
    ...['outer', 'outer', 'w', 'main', 'session', 'session'],
  ]);
});

test('events: an end finds the operation of its name, not the top of the stack', () => {
  const { spans, names, parentOf } = testEvents();
  spans.handle('a.started');
  spans.handle('b.started');
  spans.handle('a.completed');
  assert.deepEqual(names(), ['a']);
  // What was begun above it goes on, and is what later ones are part of.
  assert.equal(spans.stats().open, 3);
  spans.handle('c.started');
  spans.handle('c.completed');
  assert.equal(spans.handle('b.completed'), true);
  assert.equal(parentOf('b'), 'a');
  assert.equal(parentOf('c'), 'b');
  spans.handle('d.started');
  spans.handle('d.completed');
  assert.equal(parentOf('d'), 'main');
  assert.equal(spans.handle('a.completed'), false);
  assert.deepEqual(spans.stats().ignored, { 'not-open': 1 });
});

test('events: without ids the innermost of a name ends first', () => {
  const { spans, ended, begun } = testEvents();
  spans.handle('visit.started', { depth: 1 });
  spans.handle('visit.started', { depth: 2 });
  spans.handle('visit.completed');
  assert.equal(ended[0]?.attributes['depth'], 2);
  spans.handle('visit.completed');
  assert.equal(ended[1]?.attributes['depth'], 1);
  assert.deepEqual(ended[0]?.parentSpanContext, begun[2]?.span.spanContext());
});

test('events: ids tell operations apart that run at once, on whichever track they end', () => {
  const { spans, ended } = testEvents({ track: 'thread' });
  for (const id of [1, 2, 3]) spans.handle('load.started', { id });
  spans.handle('load.completed', { id: '2', thread: 'w' });
  spans.handle('load.failed', { id: 1 });
  assert.deepEqual(
    ended.map(({ attributes, status }) => [attributes['id'], status.code]),
    [
      ['2', SpanStatusCode.OK],
      [1, SpanStatusCode.ERROR],
    ],
  );
  assert.equal(spans.stats().open, 3);
});

test('events: the same id under another name is another operation', () => {
  const { spans, names } = testEvents();
  spans.handle('task.started', { task_id: 7 });
  spans.handle('step.started', { task_id: 7, step_id: 8 });
  spans.handle('step.completed', { task_id: 7, step_id: 8 });
  assert.deepEqual(names(), ['step']);
  assert.equal(spans.handle('other.completed', { task_id: 7 }), false);
  spans.handle('task.completed', { task_id: 7 });
  assert.deepEqual(names(), ['step', 'task']);
});

test('events: an id that is known only at the end ends the one without an id', () => {
  const { spans, ended } = testEvents();
  spans.handle('order.started', { id: 1 });
  spans.handle('order.started');
  assert.equal(spans.handle('order.completed', { id: 9 }), true);
  assert.equal(ended[0]?.attributes['id'], 9);
  assert.equal(spans.handle('order.completed', { id: 10 }), false);
  assert.equal(spans.handle('order.completed', { id: 1 }), true);
});

test('events: an operation that begins again under its id ends the earlier one, marked', () => {
  const { spans, ended, advance } = testEvents();
  spans.handle('sync.started', { id: 1, attempt: 1 });
  advance(10);
  spans.handle('sync.started', { id: 1, attempt: 2 });
  assert.equal(ended[0]?.attributes['attempt'], 1);
  assert.equal(ended[0]?.attributes[MARK], true);
  assert.deepEqual(ended[0]?.duration, [0, 10_000_000]);
  spans.handle('sync.completed', { id: 1 });
  assert.equal(ended[1]?.attributes['attempt'], 2);
  assert.equal(ended[1]?.attributes[MARK], undefined);
  assert.notEqual(ended[0]?.spanContext().spanId, ended[1]?.spanContext().spanId);
  assert.equal(spans.stats().interrupted, 1);
  // After its end an id is free.
  assert.equal(spans.handle('sync.started', { id: 1 }), true);
  assert.equal(spans.stats().interrupted, 1);
});

test('events: what fails says why', () => {
  const { spans, span } = testEvents();
  const error = new TypeError('no stock');
  const cases: [string, object, string | undefined][] = [
    ['a', { error }, 'no stock'],
    ['b', { exception: { name: 'Oops', message: 'of another realm' } }, 'of another realm'],
    ['c', { error: 'a text' }, 'a text'],
    ['d', { message: 'told' }, 'told'],
    ['e', error, 'no stock'],
    ['f', {}, undefined],
  ];
  for (const [name, payload, message] of cases) {
    spans.handle(`${name}.started`);
    assert.equal(spans.handle(`${name}.failed`, payload), true);
    assert.deepEqual(span(name).status, { code: SpanStatusCode.ERROR, ...(message && { message }) });
  }
  for (const name of ['a', 'e']) {
    const [exception] = span(name).events;
    assert.equal(exception?.name, 'exception');
    assert.equal(exception?.attributes?.['exception.type'], 'TypeError');
    assert.match(String(exception?.attributes?.['exception.stacktrace']), /event-spans\.test/);
    assert.equal(span(name).attributes['error.type'], 'TypeError');
    assert.equal(span(name).attributes['error'], undefined);
  }
  assert.equal(span('c').events.length, 0);
  assert.equal(spans.stats().failed, cases.length);
});

test('events: anything else is an event of the innermost operation, of the one it names, or of the track', () => {
  const { spans, span, advance } = testEvents({ track: 'thread' });
  spans.handle('started');
  spans.handle('outer.started', { id: 1 });
  spans.handle('inner.started', { id: 2 });
  advance(1);
  spans.handle('row', { index: 0 });
  spans.handle('progress', { id: 1, thread: 'unused' });
  assert.equal(spans.stats().tracks, 1);
  spans.handle('elsewhere', { thread: 'w' });
  spans.handle('inner.completed', { id: 2 });
  spans.handle('outer.completed', { id: 1 });
  spans.handle('.completed');
  spans.finalize();
  const eventsOf = (name: string) => span(name).events.map((event) => event.name);
  assert.deepEqual(eventsOf('main'), ['started', '.completed']);
  assert.deepEqual(eventsOf('outer'), ['progress']);
  assert.deepEqual(eventsOf('inner'), ['row']);
  assert.deepEqual(eventsOf('w'), ['elsewhere']);
  assert.deepEqual(span('inner').events[0]?.time, [START / 1_000, 1_000_000]);
  assert.deepEqual(span('inner').events[0]?.attributes, { index: 0 });
  assert.equal(spans.stats().events, 5);
});

test('events: a parent that is named may be on another track, come later, or have just ended', () => {
  const { spans, parentOf } = testEvents({ track: 'thread' });
  spans.handle('stacked.started');
  spans.handle('job.started', { id: 'j', thread: 'w' });
  spans.handle('known.started', { id: 1, parentId: 'j' });
  spans.handle('early.started', { id: 2, parent_id: 'late' });
  spans.handle('gone.started', { id: 3, parent_id: 'late' });
  spans.handle('gone.completed', { id: 3 });
  spans.handle('late.started', { id: 'late', thread: 'w' });
  spans.handle('late.completed', { id: 'late' });
  // Another of that id is nobody's parent.
  spans.handle('later.started', { id: 'late', thread: 'w' });
  spans.handle('later.completed', { id: 'late' });
  spans.handle('after.started', { id: 4, parent_id: 'late' });
  spans.handle('never.started', { id: 5, parent_id: 'nobody' });
  spans.handle('self.started', { id: 6, parent_id: 6 });
  spans.finalize();
  const parents = ['known', 'early', 'gone', 'after', 'never', 'self'].map(parentOf);
  // What ended before its parent began is below the operation that it began in.
  assert.deepEqual(parents, ['job', 'late', 'early', 'later', 'after', 'never']);
});

test('events: operations that name each other as parents make no circle', () => {
  const { spans, begun, ended } = testEvents();
  spans.handle('a.started', { id: 'a', parent_id: 'b' });
  spans.handle('c.started', { id: 'c', parent_id: 'a' });
  spans.handle('d.started', { id: 'd', parent_id: 'c' });
  // Its end takes a link out of the chain, through which the circle must be seen all the same.
  spans.handle('c.completed', { id: 'c' });
  spans.handle('b.started', { id: 'b', parent_id: 'd' });
  spans.finalize();
  const parents = new Map(ended.map((span) => [idOf(span), span.parentSpanContext?.spanId]));
  for (const { span } of begun) {
    let at: string | undefined = idOf(span);
    for (let steps = 0; at; steps++) {
      assert.ok(steps < 10, 'a circle');
      at = parents.get(at);
    }
  }
});

test('events: finalize ends what dangles, inner first, then the tracks, the root last, and only once', () => {
  const { spans, names, span, ended, advance } = testEvents({ track: 'thread' });
  spans.handle('outer.started');
  spans.handle('child.started', { parent_id: 'job' });
  spans.handle('job.started', { id: 'job', thread: 'w' });
  advance(5);
  spans.handle('inner.started');
  advance(5);
  spans.finalize();
  const order = names();
  assert.deepEqual(order.slice(-3), ['w', 'main', 'session']);
  for (const [inner, outer] of [
    ['inner', 'child'],
    ['child', 'job'],
  ] as const) {
    assert.ok(order.indexOf(inner) < order.indexOf(outer), `${inner} before ${outer}`);
  }
  for (const name of ['outer', 'child', 'job', 'inner']) {
    assert.equal(span(name).attributes[MARK], true);
    assert.deepEqual(span(name).endTime, [START / 1_000, 10_000_000]);
  }
  const count = ended.length;
  spans.finalize();
  spans.finalize(START + 9_999);
  assert.equal(ended.length, count);
  for (const name of ['late', 'late.started', 'outer.completed']) assert.equal(spans.handle(name), false);
  assert.equal(spans.endTrack('main'), false);
  assert.equal(ended.length, count);
  assert.deepEqual(spans.stats().ignored, { finalized: 3 });
  assertEventLedger(spans.stats());
});

test('events: finalize without any event emits nothing', () => {
  const { spans, begun } = testEvents();
  spans.finalize();
  assert.deepEqual(begun, []);
});

test('events: what a track does after its end goes into a further span', () => {
  const { spans, ended, begun, names } = testEvents({ track: 'thread' });
  spans.handle('work.started', { thread: 'w' });
  assert.equal(spans.endTrack('w'), true);
  assert.deepEqual(names(), ['work', 'w']);
  assert.equal(ended[0]?.attributes[MARK], true);
  spans.handle('late', { thread: 'w' });
  spans.handle('work.started', { thread: 'w' });
  spans.finalize();
  const tracks = ended.filter(({ name }) => name === 'w');
  assert.equal(tracks.length, 2);
  assert.notEqual(tracks[0]?.spanContext().spanId, tracks[1]?.spanContext().spanId);
  assert.equal(tracks[1]?.events[0]?.name, 'late');
  assert.equal(begun.filter(({ span }) => span.name === 'session').length, 1);
  assert.equal(spans.endTrack('unknown'), false);
});

test('events: a track whose span is full of events goes on in a further span', () => {
  const { spans, ended } = testEvents({ maxEventsPerSpan: 2 });
  for (const index of [0, 1, 2, 3, 4]) spans.handle('tick', { index });
  spans.finalize();
  const ticks = ended.filter(({ name }) => name === 'main').map(({ events }) => events.length);
  assert.deepEqual(ticks, [2, 2, 1]);
  assert.deepEqual(spans.stats().dropped, {});
});

test('events: the oldest event of an operation gives way, and is counted', () => {
  const { spans, span } = testEvents({ maxEventsPerSpan: 2 });
  spans.handle('work.started');
  for (const index of [0, 1, 2, 3]) spans.handle('tick', { index });
  spans.handle('work.completed');
  assert.deepEqual(
    span('work').events.map(({ attributes }) => attributes?.['index']),
    [2, 3],
  );
  assert.equal(span('work').droppedEventsCount, 2);
  assert.deepEqual(spans.stats().dropped, { 'max-events': 2 });
  assertEventLedger(spans.stats());
});

test('events: a million operations that never end are bounded, and counted', () => {
  const { spans } = testEvents({ maxOpen: 100 });
  const before = heap();
  for (let id = 0; id < 1_000_000; id++) spans.handle('leak.started', { id });
  const { open, dropped, started } = spans.stats();
  assert.deepEqual([open, started, dropped], [102, 100, { 'max-open': 999_900 }]);
  assert.ok(heap() - before < 5e6);
  assert.equal(spans.snapshot().spans.length, 102);
  // Room again.
  spans.handle('leak.completed', { id: 0 });
  assert.equal(spans.handle('leak.started', { id: 'new' }), true);
  assertEventLedger(spans.stats());
});

test('events: operations that are each part of the last keep nothing of those that are over', () => {
  const { spans, ended, begun } = testEvents({ staleMillis: 1_000 });
  spans.handle('link.started', { id: 0 });
  const before = heap();
  for (let id = 1; id <= 100_000; id++) {
    spans.handle('link.started', { id, parent_id: id - 1 });
    spans.handle('link.completed', { id: id - 1 });
    // Some wait for what never comes.
    spans.handle('waiting.started', { id: `w${id}`, parent_id: `p${id}` });
    spans.handle('waiting.completed', { id: `w${id}` });
    begun.length = ended.length = 0;
  }
  assert.equal(spans.stats().open, 3);
  assert.ok(heap() - before < 3e6, `${heap() - before} bytes`);
});

test('events: too many tracks: one that is idle gives way, and where none is the event is dropped', () => {
  const { spans, names, advance } = testEvents({ track: 'thread', maxTracks: 3 });
  spans.handle('busy.started', { thread: 'a' });
  for (const thread of ['b', 'e', 'b']) {
    advance(1);
    spans.handle('note', { thread });
  }
  // The one that has not been heard of for longest.
  spans.handle('busy.started', { thread: 'c' });
  assert.deepEqual(names(), ['e']);
  spans.handle('busy.started', { thread: 'b' });
  assert.equal(spans.handle('note', { thread: 'd' }), false);
  assert.equal(spans.handle('busy.started', { thread: 'd' }), false);
  assert.deepEqual(spans.stats().dropped, { 'max-tracks': 2 });
  assert.equal(spans.stats().tracks, 3);
});

test('events: what is open for too long is ended where it was last heard of, marked and counted', () => {
  const { spans, ended, names, advance } = testEvents({ track: 'thread', staleMillis: 1_800_000 });
  // Back-dated: its age counts from when it was told.
  spans.handle('forgotten.started', {}, START - 86_400_000);
  spans.handle('progress', {}, START + 300);
  spans.handle('part.started', {}, START + 400);
  spans.handle('part.completed', {}, START + 500);
  ended.length = 0;
  spans.handle('idle', { thread: 'w' });
  advance(1_000_000);
  spans.handle('younger.started', { id: 1 });
  assert.deepEqual(names(), []);
  advance(800_000);
  spans.handle('note');
  assert.deepEqual(names(), ['forgotten', 'w']);
  assert.equal(ended[0]?.attributes[MARK], true);
  assert.deepEqual(ended[0]?.endTime, [START / 1_000, 500_000_000]);
  const { swept, interrupted } = spans.stats();
  assert.deepEqual([swept, interrupted], [1, 1]);
  assertEventLedger(spans.stats());
});

test('events: times may be given, with fractions or as a Date, and go backwards', () => {
  const { spans, span, begun, advance } = testEvents({ session: { id: 1 } });
  spans.handle('past.started', {}, START + 11);
  spans.handle('past.completed', {}, START - 86_400_000);
  assert.equal(millisOfTime(begun[0]?.span.startTime ?? [0, 0]), START + 11);
  spans.handle('a.started', {}, START + 10.25);
  spans.handle('b.started', {}, new Date(START + 5));
  spans.handle('tick', {}, START - 1_000);
  spans.handle('b.completed', {}, START);
  spans.handle('a.completed', {}, START + 12);
  advance(1);
  spans.finalize(START);
  assert.deepEqual(span('a').startTime, [START / 1_000, 10_250_000]);
  assert.deepEqual(span('a').duration, [0, 1_750_000]);
  assert.deepEqual(span('b').duration, [0, 0]);
  // Root and track hold all that was seen.
  for (const name of ['main', 'session']) {
    assert.equal(millisOfTime(span(name).startTime), START - 1_000);
    assert.equal(millisOfTime(span(name).endTime), START + 12);
  }
});

test('events: record() takes an operation that is over, below what had begun before it', () => {
  const { spans, span, parentOf } = testEvents();
  spans.handle('early.started', {}, START);
  spans.handle('late.started', {}, START + 100);
  assert.equal(spans.record('measured', { rows: 2 }, START + 50, START + 150), true);
  assert.equal(spans.record('backwards', null, START + 60, START + 10), true);
  assert.equal(parentOf('measured'), 'early');
  assert.deepEqual(span('measured').duration, [0, 100_000_000]);
  assert.deepEqual(span('backwards').duration, [0, 0]);
  assert.deepEqual(span('backwards').endTime, span('backwards').startTime);
  assert.equal(spans.record('bad', {}, Number.NaN, START), false);
  assert.equal(spans.record('bad', {}, START, Number.NaN), false);
  const { started, stopped } = spans.stats();
  assert.deepEqual([started, stopped], [4, 2]);
  assertEventLedger(spans.stats());
});
