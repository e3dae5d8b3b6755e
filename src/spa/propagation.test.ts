import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTraceState, type SpanContext, trace } from '@opentelemetry/api';
import { createPropagation, serverParent } from './propagation.js';

const TRACE_ID = '12345678901234567890123456789012';
const SPAN_ID = '1234567890123456';
const spanOf = (context: Partial<SpanContext> = {}) =>
  trace.wrapSpanContext({ traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1, ...context });

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
    document: { querySelector: () => (meta === undefined ? null : { content: meta }) },
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
