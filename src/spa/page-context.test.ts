import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { BasicTracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace-web';
import { until } from '../testing/platform.js';
import { createPageContext } from './page-context.js';

/** The context of a page whose spans are OpenTelemetry's, and what was told of its calls. */
function testContext() {
  const told: string[] = [];
  const context = createPageContext((task) => {
    try {
      task();
    } catch (error) {
      told.push(String(error));
    }
  });
  const ended: ReadableSpan[] = [];
  const provider = new BasicTracerProvider({
    spanProcessors: [
      {
        onStart() {},
        onEnding: context.onEnding,
        onEnd: (span) => void ended.push(span),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const tracer = provider.getTracer('test');
  /** What a span that ends now says. */
  const say = (span: Span = tracer.startSpan('root')): ReadableSpan => {
    span.end();
    return ended.at(-1) as ReadableSpan;
  };
  return { ...context, ...context.setters, told, tracer, say };
}

const flagsOf = ({ events }: ReadableSpan): unknown[] =>
  events.map(({ name, attributes }) => [
    name,
    attributes?.['feature_flag.key'],
    attributes?.['feature_flag.result.variant'],
  ]);

test('context: on what ends later, whenever it began; what a span says itself stays', () => {
  const { setUser, setAttributes, say, tracer } = testContext();
  const open = tracer.startSpan('load');
  assert.deepEqual(say().attributes, {});
  setUser({ id: 42, email: 'a@b.test', roles: ['admin', 'buyer'], plan: undefined });
  setAttributes({ 'shop.plan': 'pro', 'shop.items': 3, beta: false });
  setAttributes({ 'shop.items': 4, 'url.template': '/other' });
  open.setAttribute('url.template', '/product/:id');
  const known = {
    ...{ 'user.id': '42', 'user.email': 'a@b.test', 'user.roles': ['admin', 'buyer'] },
    ...{ 'shop.plan': 'pro', 'shop.items': 4, beta: false },
  };
  assert.deepEqual(say(open).attributes, { ...known, 'url.template': '/product/:id' });

  setUser({ id: 'u-7' });
  setAttributes({ 'shop.plan': null });
  assert.deepEqual(say().attributes, {
    ...{ 'user.id': 'u-7', 'shop.items': 4, beta: false, 'url.template': '/other' },
  });
  setUser(null);
  setAttributes(null);
  assert.deepEqual(say().attributes, {});
});

test('context: what is known is a copy', () => {
  const { setAttributes, say } = testContext();
  const list = ['a'];
  const attributes = { list };
  setAttributes(attributes);
  attributes.list = [];
  list.push('b');
  assert.deepEqual(say().attributes, { list: ['a'] });
});

test('context: a flag is an event of local roots, within their time', () => {
  const { setFlag, say, tracer } = testContext();
  setFlag('checkout', 'one-page');
  setFlag('ribbon', true);
  const child = tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, tracer.startSpan('root')));
  assert.deepEqual(flagsOf(say(child)), []);
  const remote = trace.setSpanContext(ROOT_CONTEXT, {
    ...{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote: true },
  });
  for (const span of [say(), say(tracer.startSpan('continued', {}, remote))]) {
    assert.deepEqual(flagsOf(span), [
      ['feature_flag.evaluation', 'checkout', 'one-page'],
      ['feature_flag.evaluation', 'ribbon', 'true'],
    ]);
    assert.deepEqual(span.events[0]?.time, span.startTime);
  }
  setFlag('checkout', null);
  assert.deepEqual(flagsOf(say()), [['feature_flag.evaluation', 'ribbon', 'true']]);
});

test('context: a hashed id is never the plain one, and nobody’s after another user came', async () => {
  const { setUser, say, values } = testContext();
  const hash = createHash('sha256').update('ü-42').digest('hex');
  setUser({ id: 'ü-42', hash: true, name: 'N' });
  assert.deepEqual(say().attributes, { 'user.name': 'N' });
  await until(() => values.user?.['user.id'] !== undefined);
  assert.deepEqual(say().attributes, { 'user.id': hash, 'user.name': 'N' });

  setUser({ id: 'other', hash: true });
  const others = values.user;
  setUser({ name: 'next' });
  await until(() => others?.['user.id'] !== undefined);
  assert.deepEqual(say().attributes, { 'user.name': 'next' });
});

test('context: where a page may not hash there is no id', async (t) => {
  t.mock.getter(globalThis, 'crypto', () => ({}));
  const { setUser, say, told } = testContext();
  setUser({ id: 'u-42', hash: true });
  await new Promise((done) => setImmediate(done));
  assert.deepEqual([say().attributes, told], [{}, []]);
});

test('context: what is refused is told, and changes nothing', () => {
  const { setUser, setAttributes, setFlag, say, told } = testContext();
  setAttributes({ kept: 1 });
  setUser({ id: 'u' });
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key ${index}`, index]));
  const refused: unknown[] = [
    ...['text', 7, true, () => {}, Symbol('x')],
    ...[many, { map: {} }, { mixed: ['a', 1] }, { fine: 1, wrong: () => {} }, { big: 1n }],
    ...[{ '': 1 }, { ['k'.repeat(201)]: 1 }, { long: Array(600).fill('ab') }],
    {
      get thrower() {
        throw new Error('its own');
      },
    },
  ];
  for (const given of refused) {
    const before = told.length;
    setAttributes(given as never);
    assert.equal(told.length, before + 1, `refused: ${String(Object.keys(given as object)[0])}`);
    setUser(given as never);
    assert.equal(told.length, before + 2);
  }
  setFlag('', 'x');
  setFlag('object', {} as never);
  assert.match(
    told[0] as string,
    /^TypeError: spandrel: option "attributes" takes up to 64 strings, numbers, .* got "text"$/,
  );
  assert.match(told.at(-1) as string, /option "flags" takes/);
  assert.deepEqual([say().attributes, say().events], [{ 'user.id': 'u', kept: 1 }, []]);
});

test('context: bounds on all that is said, call by call', () => {
  const { setAttributes, setFlag, say, told } = testContext();
  for (let index = 0; index < 70; index++) {
    setAttributes({ [`attribute ${index}`]: 'x'.repeat(5_000) });
    setFlag(`flag ${index}`, 'on');
  }
  const { attributes, events } = say();
  assert.deepEqual([Object.keys(attributes).length, events.length, told.length], [64, 64, 12]);
  assert.equal(String(attributes['attribute 0']).length, 1_024);
  // One that there is may change still, and one that goes makes room.
  setAttributes({ 'attribute 0': 1 });
  setAttributes({ 'attribute 1': null, next: 1 });
  const after = say().attributes;
  assert.deepEqual([after['attribute 0'], after['next'], 'attribute 1' in after], [1, 1, false]);
});

test('context: nothing is known after it was cleared', () => {
  const { setUser, setAttributes, setFlag, say, clear } = testContext();
  setUser({ id: 'u' });
  setAttributes({ a: 1 });
  setFlag('f', 'on');
  clear();
  assert.deepEqual([say().attributes, say().events], [{}, []]);
});
