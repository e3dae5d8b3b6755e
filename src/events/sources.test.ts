import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { testClock } from '../testing/clock.js';
import { assertEventLedger, millisOfTime, START, testEvents } from '../testing/event-spans.js';
import { fromEventTarget } from './from-event-target.js';
import { fromMessages, isTrusted } from './from-messages.js';
import { fromPerformance } from './from-performance.js';
import { sendTo } from './send-to.js';

const thrower = (): never => assert.fail('planted');

class Detailed extends Event {
  readonly detail: unknown;
  constructor(type: string, detail?: unknown) {
    super(type);
    this.detail = detail;
  }
}

test('event target: names are handled as they are, with the detail as payload, until stopped', () => {
  const { spans, span } = testEvents();
  const target = new EventTarget();
  const stop = fromEventTarget(spans, target, ['cart.started', 'cart.completed']);
  target.dispatchEvent(new Detailed('cart.started', { items: 2 }));
  target.dispatchEvent(new Event('other'));
  target.dispatchEvent(new Event('cart.completed'));
  assert.equal(span('cart').attributes['items'], 2);
  stop();
  stop();
  target.dispatchEvent(new Event('cart.started'));
  assert.equal(spans.stats().handled, 2);
});

test('event target: a map gives other names, or a function says what to handle', () => {
  const { spans, span, names } = testEvents();
  const target = new EventTarget();
  fromEventTarget(spans, target, {
    open: 'cart.started',
    close: (event) => ({ name: 'cart.completed', payload: { via: event.type }, at: START + 7 }),
    skip: () => undefined,
    bad: thrower,
    // biome-ignore lint/suspicious/noExplicitAny: what a caller without types may give
    wrong: 7 as any,
  });
  for (const type of ['open', 'skip', 'bad', 'wrong', 'close']) target.dispatchEvent(new Event(type));
  assert.deepEqual(names(), ['cart']);
  assert.equal(span('cart').attributes['via'], 'close');
  assert.deepEqual(span('cart').duration, [0, 7_000_000]);
  assert.deepEqual(spans.stats().ignored, { payload: 2 });
  assertEventLedger(spans.stats());
});

test('event target: a detail whose getter throws, and a target that is none, throw nothing', () => {
  const { spans } = testEvents();
  const target = new EventTarget();
  fromEventTarget(spans, target, ['a']);
  target.dispatchEvent(Object.defineProperty(new Event('a'), 'detail', { get: thrower }));
  assert.deepEqual(spans.stats().ignored, { payload: 1 });
  const broken = { addEventListener: thrower, removeEventListener: thrower };
  const halfBroken = { addEventListener() {}, removeEventListener: thrower };
  for (const none of [undefined, null, {}, 7, broken, halfBroken]) {
    fromEventTarget(spans, none as never, ['a'])();
    fromMessages(spans, none as never)();
  }
});

test('performance: marks are events, measures are operations, those made before as well', async (t) => {
  const { spans, span, ended } = testEvents({ session: { id: 1 } });
  const { performance } = globalThis;
  t.after(() => {
    performance.clearMarks();
    performance.clearMeasures();
  });
  performance.mark('load.started', { startTime: 10, detail: { n: 1 } });
  performance.measure('parse', { start: 12, end: 15.5, detail: 'text' });
  performance.mark('framework', { startTime: 13 });
  const stop = fromPerformance(spans, { names: ['load*', 'parse', 'late'] });
  await turn();
  performance.mark('load.completed', { startTime: 20 });
  // Told in a later task, unless it is asked for.
  performance.mark('late', { startTime: 21 });
  spans.finalize();
  assert.deepEqual(span('load').attributes, { n: 1, 'session.id': '1' });
  assert.deepEqual(span('load').duration, [0, 10_000_000]);
  // testClock: the wall clock is as much ahead of the monotonic one as in the test's session.
  assert.equal(millisOfTime(span('load').startTime), START - 5_000 + 10);
  assert.deepEqual(span('parse').duration, [0, 3_500_000]);
  assert.equal(span('parse').attributes['detail'], 'text');
  assert.equal(span('parse').parentSpanContext?.spanId, span('load').spanContext().spanId);
  assert.equal(span('main').events[0]?.name, 'late');
  stop();
  performance.mark('late');
  await turn();
  assert.equal(ended.length, 4);
  assert.equal(spans.stats().handled, 5);
});

test('performance: what has not been told yet is asked for when it is stopped', (t) => {
  const { spans } = testEvents();
  t.after(() => performance.clearMarks());
  const stop = fromPerformance(spans, { names: ['last word'] });
  performance.mark('last word', { startTime: 1 });
  assert.equal(spans.stats().events, 0);
  stop();
  assert.equal(spans.stats().events, 1);
});

test('performance: nothing happens where there is no observer, or it refuses', () => {
  const { spans } = testEvents();
  for (const PerformanceObserver of [undefined, thrower, class {}]) {
    fromPerformance(spans, { scope: { PerformanceObserver } })();
  }
  assert.equal(spans.stats().handled, 0);
});

/** Two ports, and how to wait until what was sent has arrived. */
function channel(t: { after(task: () => void): void }) {
  const { port1, port2 } = new MessageChannel();
  t.after(() => port1.close());
  const arrive = () =>
    new Promise<void>((resolve) => {
      port1.addEventListener('message', function listener({ data }) {
        if (data !== 'arrived') return;
        port1.removeEventListener('message', listener);
        resolve();
      });
      port2.postMessage('arrived');
    });
  return { source: port1 as unknown as EventTarget & { start(): void }, sender: port2, arrive };
}

test('messages: a sender has its track, its times, its end', async (t) => {
  const { spans, span, names, advance } = testEvents();
  const { source, sender, arrive } = channel(t);
  const stop = fromMessages(spans, source);
  source.start();
  let monotonic = 1_000;
  const events = sendTo(
    sender,
    { track: 'search' },
    testClock(() => monotonic, START - 1_000),
  );
  assert.equal(events.handle('index.started', { id: 1, at: new Date(START) }), true);
  monotonic += 40;
  events.handle('index.failed', { id: 1, error: new RangeError('too much') });
  events.handle('note', null, START + 41);
  advance(100);
  await arrive();
  assert.deepEqual(span('index').duration, [0, 40_000_000]);
  assert.equal(span('index').status.message, 'too much');
  assert.equal(span('index').attributes['error.type'], 'RangeError');
  events.end();
  await arrive();
  assert.deepEqual(names(), ['index', 'search']);
  assert.equal(span('search').events[0]?.name, 'note');
  stop();
  events.handle('index.started');
  await arrive();
  assert.equal(spans.stats().handled, 3);
});

test('messages: a payload that no message can carry is sent without what cannot', async (t) => {
  const { spans, span } = testEvents();
  const { source, sender, arrive } = channel(t);
  const stop = fromMessages(spans, source, { track: 'w' });
  source.start();
  const events = sendTo(sender, { track: 'ignored' });
  assert.equal(
    events.handle('a.started', { id: 1, act: () => {}, user: { name: 'n', act: () => {} } }),
    true,
  );
  assert.equal(events.handle('a.completed', { id: 1 }), true);
  await arrive();
  assert.deepEqual(span('a').attributes, { id: 1, 'user.name': 'n', 'session.id': 'tests' });
  // Stopping ends the track that was given.
  stop();
  assert.ok(span('w').ended);
});

test('messages: what cannot be sent is told, and nothing is thrown', () => {
  const bad: [unknown, unknown?, unknown?][] = [[''], [7], ['a', 7], ['a', {}, Number.NaN]];
  const events = sendTo({ postMessage() {} });
  for (const args of bad) assert.equal((events.handle as (...args: unknown[]) => boolean)(...args), false);
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  for (const target of [undefined, null, { postMessage: thrower }, {}]) {
    const broken = sendTo(target as never);
    assert.equal(broken.handle('a'), false);
    assert.equal(broken.handle('a', revoked.proxy), false);
    broken.end();
  }
});

class Message extends Event {
  readonly data: unknown;
  readonly origin: string;
  constructor(data: unknown, origin = '') {
    super('message');
    this.data = data;
    this.origin = origin;
  }
}

test('messages: what is not ours is left alone, what pretends to be is counted, a time to come is now', () => {
  const { spans, span } = testEvents();
  const source = new EventTarget();
  fromMessages(spans, source);
  const ours = { 'spandrel.events': 1, kind: 'event', name: 'a', atMillis: START };
  for (const data of [undefined, null, 'text', 7, [], {}, { kind: 'event', name: 'a' }]) {
    source.dispatchEvent(new Message(data));
  }
  assert.equal(spans.stats().handled, 0);
  const forged = [
    { ...ours, 'spandrel.events': 2 },
    ...[Number.NaN, '7', undefined].map((atMillis) => ({ ...ours, atMillis })),
    ...['', 7, 'x'.repeat(1_001), undefined].map((name) => ({ ...ours, name })),
    ...['', {}, Number.NaN, 'x'.repeat(1_001)].map((track) => ({ ...ours, track })),
    ...['text', 7].map((payload) => ({ ...ours, payload })),
    { ...ours, kind: 'other' },
    Object.defineProperty({ ...ours }, 'name', { get: thrower }),
  ];
  for (const data of forged) source.dispatchEvent(new Message(data));
  assert.deepEqual(spans.stats().ignored, { message: forged.length });
  source.dispatchEvent(new Message({ ...ours, name: 'a.started', atMillis: START + 1e9 }));
  source.dispatchEvent(new Message({ ...ours, kind: 'end' }));
  assert.equal(millisOfTime(span('a').startTime), START);
  assert.equal(span('worker').name, 'worker');
  assertEventLedger(spans.stats());
});

test('messages: other origins are listened to only where they are named', () => {
  const { spans } = testEvents();
  const source = new EventTarget();
  fromMessages(spans, source, { origins: ['https://partner.test'] });
  const data = { 'spandrel.events': 1, kind: 'event', name: 'a', atMillis: START };
  for (const origin of ['https://evil.test', 'null']) source.dispatchEvent(new Message(data, origin));
  assert.deepEqual(spans.stats().ignored, { message: 2 });
  for (const origin of ['', 'https://partner.test']) source.dispatchEvent(new Message(data, origin));
  assert.equal(spans.stats().events, 2);
  assert.equal(isTrusted('https://shop.test', [], 'https://shop.test'), true);
  assert.equal(isTrusted('null', [], 'null'), false);
});
