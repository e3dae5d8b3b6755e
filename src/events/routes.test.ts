import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertEventLedger, START, testEvents } from '../testing/event-spans.js';
import { isSampled } from './names.js';

test('routes: the first that matches counts, by the name of the operation', () => {
  const { spans, span, names } = testEvents({
    routes: [
      { match: 'cart.add', attributes: { area: 'cart' } },
      { match: 'cart*', enabled: false },
    ],
  });
  assert.equal(spans.handle('cart.add.started', { area: 'other' }), true);
  assert.equal(spans.handle('cart.load.started'), false);
  assert.equal(spans.handle('cart.seen'), false);
  assert.equal(spans.handle('cartoon'), false);
  assert.equal(spans.handle('other'), true);
  assert.equal(spans.handle('cart.load.completed'), false);
  assert.equal(spans.handle('cart.add.completed'), true);
  assert.deepEqual(names(), ['cart.add']);
  assert.equal(span('cart.add').attributes['area'], 'cart');
  assert.deepEqual(
    span('cart.add').events.map(({ name }) => name),
    ['other'],
  );
  assert.deepEqual(spans.stats().ignored, { disabled: 4 });
  assertEventLedger(spans.stats());
});

test('routes: a share of sessions, and within one begin, end and events always go the same way', () => {
  let kept = 0;
  for (let id = 0; id < 2_000; id++) {
    const { spans, names } = testEvents({
      session: { id, startedAt: 1_790_000_000_000 + id },
      routes: [{ match: 'query*', sampleRate: 0.25 }],
    });
    const fates = [1, 2, 3].flatMap(() =>
      ['query.started', 'row', 'query.completed'].map((name) => spans.handle(name)),
    );
    assert.equal(new Set(fates).size, 1);
    const isKept = fates[0] === true;
    if (isKept) kept++;
    assert.equal(names().length, isKept ? 3 : 0);
    assert.equal(spans.stats().sampledOut, isKept ? 0 : 9);
    assert.equal(spans.snapshot().traceId && isSampled(spans.snapshot().traceId as string, 0.25), isKept);
    assertEventLedger(spans.stats());
  }
  // Four standard deviations.
  assert.ok(Math.abs(kept - 500) < 4 * Math.sqrt(2_000 * 0.25 * 0.75), `${kept} of 2,000`);
});

test('routes: in an operation that is left out, operations hang on the next span above, and events go with it', () => {
  const { spans, names, span, parentOf } = testEvents({ routes: [{ match: 'hidden', sampleRate: 0 }] });
  spans.handle('outer.started');
  assert.equal(spans.handle('hidden.started', { id: 'h' }), false);
  assert.equal(spans.handle('inside'), false);
  spans.handle('inner.started', { parent_id: 'h' });
  assert.equal(spans.handle('seen'), true);
  spans.handle('inner.completed');
  assert.equal(spans.handle('hidden.completed', { id: 'h' }), false);
  assert.equal(spans.handle('after'), true);
  spans.handle('outer.completed');
  assert.deepEqual(names(), ['inner', 'outer']);
  assert.equal(parentOf('inner'), 'outer');
  assert.deepEqual(
    span('outer').events.map(({ name }) => name),
    ['after'],
  );
  assert.equal(spans.stats().sampledOut, 3);
  assertEventLedger(spans.stats());
});

test('routes: where all is left out nothing is emitted', () => {
  const { spans, begun } = testEvents({ routes: [{ match: '*', sampleRate: 0 }] });
  for (const name of ['a.started', 'note', 'a.completed', 'b.started'])
    assert.equal(spans.handle(name), false);
  spans.finalize();
  assert.deepEqual(begun, []);
  const { sampledOut, interrupted, open } = spans.stats();
  assert.deepEqual([sampledOut, interrupted, open], [4, 0, 0]);
});

test('routes: the share is of the last 56 bits of the trace id', () => {
  const idOf = (last: string) => 'a'.repeat(18) + last;
  assert.equal(isSampled(idOf('80000000000000'), 0.5), true);
  assert.equal(isSampled(idOf('7fffffffff0000'), 0.5), false);
  for (const last of ['00000000000000', 'ffffffffffffff']) {
    assert.equal(isSampled(idOf(last), 1), true);
    assert.equal(isSampled(idOf(last), 0), false);
  }
});

test('endings: an app has its own', () => {
  const { spans, names } = testEvents({
    endings: { started: ['/pending', ':begin'], completed: ['/fulfilled', ':end'], failed: '/rejected' },
    id: (payload) => (payload as { meta?: { requestId?: string } }).meta?.requestId,
  });
  spans.handle('users/load/pending', { meta: { requestId: 'r1' } });
  spans.handle('draw:begin');
  spans.handle('draw:end');
  spans.handle('users/load/fulfilled', { meta: { requestId: 'r1' } });
  assert.deepEqual(names(), ['draw', 'users/load']);
  assert.equal(spans.handle('a.started'), true);
  assert.equal(spans.stats().events, 1);
});

test('endings: of two that fit the longer one counts', () => {
  const { spans } = testEvents({ endings: { started: '.start', completed: '.done', failed: '.not.done' } });
  spans.handle('a.start');
  spans.handle('a.not.done');
  assert.equal(spans.stats().failed, 1);
});

test('routes: spans of a route go to its own processor, their parents do not', () => {
  const heard: string[] = [];
  const own = { onStart: () => {}, onEnd: ({ name }: { name: string }) => void heard.push(name) };
  const { spans, names, ended } = testEvents({ routes: [{ match: 'db.*', processor: own }] });
  spans.handle('checkout.started');
  spans.handle('db.query.started');
  spans.handle('row');
  spans.handle('db.query.completed');
  spans.record('db.connect', {}, START, START + 1);
  spans.handle('checkout.completed');
  spans.finalize();
  assert.deepEqual(heard, ['db.query', 'db.connect']);
  assert.deepEqual(names(), ['checkout', 'main', 'session']);
  assertEventLedger(spans.stats());
  assert.equal(ended.length, 3);
});

test('routes: a processor that is none is refused', () => {
  for (const processor of [null, {}, 'x', { onStart() {} }]) {
    const routes = [{ match: 'a', processor: processor as never }];
    assert.throws(() => testEvents({ routes }), /option "routes\[0\]\.processor" takes a span processor/);
  }
});

// The seed's queue drops its newest only; which end is dropped is the app's to say here.
test('dropWhenFull: the newest is left out, or the oldest is ended early', () => {
  const play = (dropWhenFull?: 'newest' | 'oldest') => {
    const world = testEvents({ maxOpen: 2, ...(dropWhenFull && { dropWhenFull }) });
    for (const name of ['a', 'b', 'c']) world.spans.handle(`${name}.started`);
    const ended = world.names();
    world.spans.finalize();
    assertEventLedger(world.spans.stats());
    return { ended, stats: world.spans.stats(), names: world.names() };
  };
  for (const given of [undefined, 'newest'] as const) {
    const { ended, stats, names } = play(given);
    assert.deepEqual([ended, stats.dropped, names.includes('c')], [[], { 'max-open': 1 }, false]);
  }
  const { ended, stats, names } = play('oldest');
  assert.deepEqual([ended, stats.dropped, stats.interrupted], [['a'], {}, 3]);
  assert.deepEqual(names, ['a', 'c', 'b', 'main', 'session']);
  assert.throws(
    () => testEvents({ dropWhenFull: 'none' as never }),
    /option "dropWhenFull" takes "newest" or "oldest"/,
  );
});
