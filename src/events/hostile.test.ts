import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { assertEventLedger, START, testEvents } from '../testing/event-spans.js';
import { EventSpans } from './event-spans.js';

const thrower = (): never => assert.fail('planted');

test('events: what is no name, no payload or no time is refused, and counted', () => {
  const { spans, begun } = testEvents();
  const handle = spans.handle.bind(spans) as (...args: unknown[]) => boolean;
  for (const name of [undefined, null, '', 7, {}, Symbol('x')]) assert.equal(handle(name), false);
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const payloads = [7, 'text', true, 1n, Symbol('x'), () => {}, [1], revoked.proxy];
  for (const payload of payloads) assert.equal(handle('a.started', payload), false);
  const times: unknown[] = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -1,
    '7',
    {},
    new Date(Number.NaN),
    null,
    1e30,
    { valueOf: thrower },
  ];
  for (const at of times) assert.equal(handle('a.started', {}, at), false);
  assert.deepEqual(spans.stats().ignored, { name: 6, payload: payloads.length, time: times.length });
  assert.deepEqual(begun, []);
  assertEventLedger(spans.stats());
  for (const track of [{ toString: thrower }, Symbol('x'), undefined])
    assert.equal(spans.endTrack(track as never), false);
});

test('events: a getter that throws costs its own attribute, unless what is behind it is needed', () => {
  const { spans, span } = testEvents({ id: 'key' });
  const payload = Object.defineProperty({ kept: 1 }, 'bad', { enumerable: true, get: thrower });
  assert.equal(spans.handle('a.started', payload), true);
  spans.handle('a.completed');
  assert.deepEqual(span('a').attributes, { kept: 1, 'session.id': 'tests' });
  assert.equal(span('a').droppedAttributesCount, 1);
  const nameless = Object.defineProperty({}, 'key', { get: thrower });
  assert.equal(spans.handle('b.started', nameless), false);
  assert.equal(spans.handle('b.failed', Object.defineProperty({}, 'error', { get: thrower })), false);
  assert.deepEqual(spans.stats().ignored, { payload: 2 });
  assertEventLedger(spans.stats());
});

test("events: functions of the options that throw cost their event, and answers that name nothing are nobody's", () => {
  let answer: unknown = thrower;
  const { spans, names } = testEvents({
    id: () => (typeof answer === 'function' ? (answer as () => unknown)() : answer),
  });
  assert.equal(spans.handle('a.started'), false);
  for (answer of [undefined, null, {}, '', Number.NaN, true]) assert.equal(spans.handle('a.started'), true);
  answer = 7n;
  assert.equal(spans.handle('a.started'), true);
  answer = '7';
  assert.equal(spans.handle('a.completed'), true);
  assert.deepEqual(names(), ['a']);
  assert.deepEqual(spans.stats().ignored, { payload: 1 });
});

test('events: circles, shared nodes and long lists end, and are counted', () => {
  const { spans, span } = testEvents({ maxAttributes: 10 });
  const circle: Record<string, unknown> = { name: 'c' };
  circle['self'] = circle;
  spans.handle('circle.started', circle);
  spans.handle('circle.completed');
  assert.equal(span('circle').attributes['self.self.self.name'], 'c');
  assert.equal(span('circle').droppedAttributesCount, 1);

  let shared: object = {};
  for (let level = 0; level < 20; level++) shared = { a: shared, b: shared, c: shared, d: shared, e: shared };
  spans.handle('shared.started', { shared: Array.from({ length: 500 }, () => shared) });
  spans.handle('shared.completed');
  assert.ok(span('shared').droppedAttributesCount > 0);

  let reads = 0;
  const counted = Object.defineProperty({}, 'leaf', { enumerable: true, get: () => void reads++ });
  spans.handle('wide.started', { lists: [0, 1].map(() => Array.from({ length: 999 }, () => counted)) });
  spans.handle('wide.completed');
  assert.ok(reads > 100 && reads <= 1_024, `${reads} reads`);

  spans.handle('long.started', { list: Array.from({ length: 1_001 }, () => 1), short: [1, null, 2] });
  spans.handle('long.completed', Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`n${n}`, n])));
  assert.equal(span('long').attributes['list'], undefined);
  assert.deepEqual(span('long').attributes['short'], [1, null, 2]);
  // The list; then of 30 the ten that were read, of which the span had room for nine beside `short`, less `session.id`.
  assert.equal(Object.keys(span('long').attributes).length, 10);
  assert.equal(span('long').droppedAttributesCount, 1 + 20 + 2);
});

test('events: values are copied, and those that OpenTelemetry has no form for are left out', () => {
  const { spans, span } = testEvents();
  const list = ['a'];
  class Store {
    inside = 1;
  }
  const payload = {
    ...{ text: 't', number: 1.5, yes: true, none: null, missing: undefined, list, big: 2n ** 64n },
    ...{ date: new Date(START), url: new URL('https://shop.test/a'), error: new TypeError('no') },
    ...{
      user: { name: 'n', deep: { level: 3, deeper: { level: 4, deepest: {} } } },
      items: [{ sku: 1 }, 'x'],
    },
    ...{ act: () => {}, symbol: Symbol('x'), store: new Store(), map: new Map([[1, 2]]), empty: {} },
    realm: runInNewContext('({ other: 1 })'),
  };
  Object.defineProperty(payload, '__proto__', { value: 'x', enumerable: true });
  spans.handle('a.started', payload);
  list.push('b');
  payload.user.name = 'changed';
  spans.handle('a.completed');
  assert.deepEqual(span('a').attributes, {
    ...{ text: 't', number: 1.5, yes: true, list: ['a'], big: '18446744073709551616' },
    ...{ date: '2026-09-21T14:13:20.000Z', url: 'https://shop.test/a', error: 'TypeError: no' },
    ...{ 'user.name': 'n', 'user.deep.level': 3, 'user.deep.deeper.level': 4 },
    ...{ 'items.0.sku': 1, 'items.1': 'x', 'realm.other': 1, 'session.id': 'tests' },
  });
  assert.equal(span('a').droppedAttributesCount, 6);
});

test('events: values under sensitive names are masked, in spans, events and snapshots', () => {
  const { spans, span } = testEvents();
  const secrets = {
    ...{ password: 'p', userEmail: 'e', PIN_OTP: 1, apiKey: ['k'], 'x.ssn': 's', passWord: 'w' },
    ...{ certificate: { subject: 'c' }, salted: 1n },
    ...{ className: 'shown', footprint: 'shown', monkey: 'shown', tokenValid: true, secret: null },
  };
  spans.handle('a.started', secrets);
  spans.handle('note', { nested: { token: 't' } });
  const snapshot = JSON.stringify(spans.snapshot());
  spans.handle('a.completed');
  const { attributes, events } = span('a');
  const masked = Object.entries(attributes).flatMap(([key, value]) => (value === 'REDACTED' ? key : []));
  assert.deepEqual(masked, [
    ...['password', 'userEmail', 'PIN_OTP', 'apiKey', 'x.ssn', 'passWord', 'certificate', 'salted'],
  ]);
  assert.equal(attributes['tokenValid'], true);
  assert.deepEqual(events[0]?.attributes, { 'nested.token': 'REDACTED' });
  assert.ok(snapshot.includes('shown') && !/"[pektsw]"/.test(snapshot));

  const own = testEvents({ redactKeys: ['Card', 'a.b'] });
  own.spans.handle('a.started', { card: 1, password: 'p', 'a.b': 1, aXb: 2 });
  own.spans.handle('a.completed');
  assert.deepEqual(own.span('a').attributes, {
    ...{ card: 'REDACTED', password: 'p', 'a.b': 'REDACTED', aXb: 2, 'session.id': 'tests' },
  });
});

test('events: a processor that throws is counted, and everything goes on', () => {
  const processor = { onStart: thrower, onEnd: thrower };
  const spans = new EventSpans({ processor, service: 'tests' });
  assert.equal(spans.handle('a.started'), true);
  assert.equal(spans.handle('a.completed'), true);
  spans.finalize();
  const { exceptions, opened, closed } = spans.stats();
  assert.deepEqual([exceptions, opened, closed], [6, 3, 3]);
});

test('events: a processor may tell events, end spans and finalize while it is told of a span', () => {
  for (const act of ['handle', 'end', 'finalize'] as const) {
    for (const at of ['session', 'main', 'a']) {
      let acted = false;
      const processor = {
        onStart(span: { name: string; end(): void }) {
          if (span.name !== at || acted) return;
          acted = true;
          if (act === 'end') span.end();
          else if (act === 'finalize') spans.finalize();
          else for (const name of ['b.started', 'a.started', 'note', 'b.completed']) spans.handle(name);
        },
        onEnd() {
          spans.handle('from the end');
        },
      };
      const spans = new EventSpans({ processor, service: 'tests' });
      spans.handle('a.started');
      spans.handle('note');
      spans.handle('a.completed');
      spans.finalize();
      assertEventLedger(spans.stats());
      const { open, exceptions, ignored } = spans.stats();
      assert.deepEqual([open, exceptions, ignored.exception], [0, 0, undefined], `${act} at ${at}`);
    }
  }
});

test('events: a span that a processor ends is over for us too, with all that is in it', () => {
  const { spans, begun, names } = testEvents();
  spans.handle('a.started', { id: 1 });
  spans.handle('b.started', { id: 2 });
  const [root, main, a] = begun.map(({ span }) => span);
  a?.end();
  assert.equal(spans.handle('a.completed', { id: 1 }), false);
  assert.deepEqual(names(), ['a']);
  main?.end();
  assert.deepEqual(names(), ['a', 'b', 'main']);
  a?.end();
  root?.end();
  assert.deepEqual(names(), ['a', 'b', 'main', 'session']);
  assert.equal(spans.handle('c.started'), false);
  const { interrupted, ignored } = spans.stats();
  assert.deepEqual([interrupted, ignored], [2, { 'not-open': 1, finalized: 1 }]);
  assertEventLedger(spans.stats());
});

test('events: the root is last, whoever ends it meanwhile', () => {
  const names: string[] = [];
  let root: { end(): void } | undefined;
  const processor = {
    onStart(span: { name: string; end(): void }) {
      if (span.name === 'session') root = span;
    },
    onEnd({ name }: { name: string }) {
      names.push(name);
      root?.end();
    },
  };
  const spans = new EventSpans({ processor, service: 'tests' });
  for (const id of [1, 2, 3]) spans.handle(`a${id}.started`);
  spans.finalize();
  assert.deepEqual(names, ['a3', 'a2', 'a1', 'main', 'session']);
  assertEventLedger(spans.stats());
});

test('events: after its end a span takes nothing more', () => {
  const { spans, begun, span } = testEvents();
  spans.handle('a.started');
  const open = begun.at(-1)?.span as never as import('@opentelemetry/api').Span;
  open
    .setAttribute('added', [1, 2])
    .addEvent('added', { n: 1 }, START + 1)
    .updateName('renamed');
  open
    .addLink({ context: open.spanContext() })
    .recordException(new Error('seen'), [START / 1_000, 2_000_000]);
  open.setAttribute('bad', {} as never).setAttribute('', 1);
  spans.handle('a.completed');
  const before = JSON.stringify(span('renamed'));
  assert.equal(open.isRecording(), false);
  open.setAttribute('late', 1).setAttributes({ late: 1 }).addEvent('late').updateName('late');
  open.addLink({ context: open.spanContext() }).setStatus({ code: 2 }).recordException('late');
  open.end();
  assert.equal(JSON.stringify(span('renamed')), before);
  const { attributes, events, links } = span('renamed');
  assert.deepEqual(attributes, { 'session.id': 'tests', added: [1, 2] });
  assert.deepEqual(
    events.map(({ name, time }) => [name, time]),
    [
      ['added', [START / 1_000, 1_000_000]],
      ['exception', [START / 1_000, 2_000_000]],
    ],
  );
  assert.equal(links.length, 1);
});
