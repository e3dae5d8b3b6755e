import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  baggageEntryMetadataFromString,
  createTraceState,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  type TextMapPropagator,
  trace,
} from '@opentelemetry/api';
import { W3CBaggagePropagator } from '@opentelemetry/core';
import { createPropagation, names, serverParent } from './propagation.js';

const TRACE_ID = '12345678901234567890123456789012';
const SPAN_ID = '1234567890123456';
const spanOf = (context: Partial<SpanContext> = {}) =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1, ...context });

const PAGE = 'https://shop.example';
const sends = (allowed: Parameters<typeof createPropagation>[0], url: string): boolean =>
  'traceparent' in createPropagation(allowed, PAGE).headersFor(new URL(url), spanOf());

test('propagation: the header is the span’s context, with its trace state', () => {
  const { headersFor } = createPropagation([], PAGE);
  const url = new URL(`${PAGE}/api`);
  assert.deepEqual(headersFor(url, spanOf()), { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01` });
  const traceState = createTraceState('ot=th:c,a=b');
  assert.deepEqual(headersFor(url, spanOf({ traceFlags: 0, traceState })), {
    traceparent: `00-${TRACE_ID}-${SPAN_ID}-00`,
    tracestate: 'ot=th:c,a=b',
  });
  assert.deepEqual(headersFor(url, spanOf({ traceId: '0'.repeat(32) })), {}, 'a span of no trace');
});

/** Others tried: none, empty, keys and values of every kind, properties, more than any server takes. */
test('propagation: baggage goes along as OpenTelemetry writes it, to whom traceparent goes', () => {
  const baggage = propagation.createBaggage({
    'user.id': { value: 'ü, =;%"1' },
    plain: { value: 'p', metadata: baggageEntryMetadataFromString('ttl=30;secret') },
    empty: { value: '' },
  });
  const from = propagation.setBaggage(spanOf(), baggage);
  const { headersFor } = createPropagation([], PAGE);
  const expected: Record<string, string> = {};
  new W3CBaggagePropagator().inject(from, expected, { set: (to, name, value) => (to[name] = value) });
  assert.ok(expected['baggage']?.includes('plain=p;ttl=30'));
  assert.equal(headersFor(new URL(`${PAGE}/api`), from)['baggage'], expected['baggage']);
  assert.deepEqual(headersFor(new URL('https://other.example/'), from), {});
  const long = propagation.createBaggage({
    long: { value: 'x'.repeat(9_000) },
    short: { value: 'y' },
  });
  assert.equal(headersFor(new URL(PAGE), propagation.setBaggage(spanOf(), long))['baggage'], 'short=y');
  const half = propagation.setBaggage(spanOf(), propagation.createBaggage({ half: { value: '\ud800' } }));
  assert.deepEqual(Object.keys(headersFor(new URL(PAGE), half)), ['traceparent'], 'half a character');
});

test('propagation: the app’s own propagator is asked in place of W3C, if it has one', (t) => {
  t.after(() => propagation.disable());
  const { headersFor } = createPropagation([], PAGE);
  const own: TextMapPropagator = {
    inject: (from, carrier, setter) => setter.set(carrier, 'b3', `${trace.getSpanContext(from)?.traceId}-1`),
    extract: (from) => from,
    fields: () => ['b3'],
  };
  propagation.setGlobalPropagator(own);
  assert.deepEqual(headersFor(new URL(PAGE), spanOf()), { b3: `${TRACE_ID}-1` });
  assert.deepEqual(headersFor(new URL('https://other.example/'), spanOf()), {});
  own.inject = () => {
    throw new Error('theirs');
  };
  assert.deepEqual(Object.keys(headersFor(new URL(PAGE), spanOf())), ['traceparent']);
});

// What OpenTelemetry's `propagateTraceHeaderCorsUrls` and `ignoreUrls` take, and paths.
for (const [one, href, expected] of [
  ['https://api.example/v1/cart', 'https://api.example/v1/cart', true],
  ['https://api.example/v1/cart', 'https://api.example/v1/cart/7', false],
  ['https://api.example/v1/cart', 'https://api.example/v1/cart?q=1', false],
  ['https://api.example', 'https://api.example/v1/cart?q=1', true],
  ['https://api.example/', 'https://api.example/', true],
  ['https://api.example/', 'https://api.example/v1', false],
  ['/health', `${PAGE}/health`, true],
  ['/health', `${PAGE}/healthy`, false],
  ['/health', 'https://evil.example/health', false],
  [/\/health$/g, `${PAGE}/health`, true],
] as const) {
  test(`propagation: ${one} ${expected ? 'names' : 'does not name'} ${href}`, () => {
    for (const times of [1, 2]) assert.equal(names([one], new URL(href), PAGE), expected, String(times));
    if (!String(one).startsWith('/')) assert.equal(sends([one], href), expected);
  });
}

test('propagation: goes to the page’s own origin and to those allowed, and to no other', () => {
  assert.equal(sends([], `${PAGE}/api`), true);
  for (const other of ['http://shop.example/', 'https://shop.example:444/', 'https://shop.example.evil/']) {
    assert.equal(sends([], other), false, other);
  }
  assert.equal(sends(false, `${PAGE}/api`), false);
  assert.equal(sends(true, 'https://api.example/'), true, 'everybody');
  const origins = ['https://api.example'];
  assert.equal(sends(origins, 'https://api.example/v1?q=1'), true);
  assert.equal(sends(origins, 'https://api.example.evil/'), false);
  assert.equal(sends(origins, 'https://evil.example/?https://api.example'), false);
  const pattern = [/^https:\/\/[a-z]+\.api\.example\/v2\//];
  assert.equal(sends(pattern, 'https://eu.api.example/v2/cart'), true);
  assert.equal(sends(pattern, 'https://eu.api.example/v1/cart'), false);
});

test('propagation: a pattern with a memory answers the same each time', () => {
  const { headersFor } = createPropagation([/api/g], PAGE);
  const url = new URL('https://api.example/');
  for (let turn = 0; turn < 3; turn++) assert.ok(headersFor(url, spanOf())['traceparent'], `turn ${turn}`);
});

/** A page with these in its HTML and its response's headers. */
const pageWith = (meta?: string, serverTiming?: { name: string; description: string }[]) =>
  ({
    document: {},
    Document: { prototype: { querySelector: () => (meta === undefined ? null : { content: meta }) } },
    performance: { getEntriesByType: () => [{ ...(serverTiming && { serverTiming }) }] },
  }) as never;

test('server’s span: from the HTML, else from Server-Timing', () => {
  const text = `00-${TRACE_ID}-${SPAN_ID}-01`;
  const timing = (description: string) => [
    { name: 'db', description: '' },
    { name: 'traceparent', description },
  ];
  const other = `00-${TRACE_ID}-${'a'.repeat(16)}-01`;
  assert.equal(serverParent(pageWith(text, timing(other)))?.spanId, SPAN_ID);
  assert.equal(serverParent(pageWith('{{ traceparent }}', timing(text)))?.spanId, SPAN_ID);
  assert.equal(serverParent(pageWith(undefined, timing(text)))?.isRemote, true);
  assert.equal(serverParent(pageWith(undefined, timing('no'))), undefined);
  assert.equal(serverParent(pageWith()), undefined);
});
