import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
import { parseRequest, readNanos, toRequest } from './parse-otlp.mjs';

const TRACE = 'a'.repeat(32);
const request = (...spans) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
const only = (span) => {
  const { traces } = parseRequest(request({ traceId: TRACE, spanId: '1'.repeat(16), ...span }));
  return traces.get(TRACE).spans[0];
};

/** Spans of the real SDK, as the official transformer writes them. */
function official() {
  const ended = [];
  const provider = new BasicTracerProvider({
    spanProcessors: [
      {
        onStart() {},
        onEnd: (span) => ended.push(span),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const tracer = provider.getTracer('shop', '1.2.3');
  const root = tracer.startSpan('root', { root: true, startTime: [1_700_000_000, 123_456_789] });
  const link = { traceId: 'b'.repeat(32), spanId: 'c'.repeat(16), traceFlags: TraceFlags.SAMPLED };
  const child = tracer.startSpan(
    'child',
    { kind: SpanKind.CLIENT, links: [{ context: link, attributes: { why: 'retry' } }] },
    trace.setSpan(ROOT_CONTEXT, root),
  );
  root.setAttributes({ text: 'ü', whole: 42, part: 1.5, yes: true, list: ['a', 'b'] });
  root.addEvent('shown', { ms: 3 }, [1_700_000_000, 200_000_000]);
  root.setStatus({ code: SpanStatusCode.ERROR, message: 'broke' });
  child.end();
  root.end([1_700_000_001, 123_456_790]);
  return {
    ended,
    request: JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest(ended))),
  };
}

test('parse OTLP: reads what the official transformer writes', () => {
  const { ended, request } = official();
  const [child, root] = [ended.find((s) => s.name === 'child'), ended.find((s) => s.name === 'root')];
  const { traces, skipped } = parseRequest(request);
  assert.equal(skipped, 0);
  const span = traces.get(root.spanContext().traceId).spans.find(({ name }) => name === 'root');
  assert.equal(span.spanId, root.spanContext().spanId);
  assert.equal(span.parentSpanId, '');
  assert.equal(span.kind, 'internal');
  assert.equal(span.start, 1_700_000_000_123_456_789n);
  assert.equal(span.end, 1_700_000_001_123_456_790n);
  assert.deepEqual(span.status, { code: 'error', message: 'broke' });
  assert.deepEqual(
    span.attributes.map(({ key, type, text }) => [key, type, text]),
    [
      ['text', 'string', 'ü'],
      ['whole', 'int', '42'],
      ['part', 'double', '1.5'],
      ['yes', 'bool', 'true'],
      ['list', 'array', '["a", "b"]'],
    ],
  );
  assert.equal(span.events[0].name, 'shown');
  assert.equal(span.events[0].time, 1_700_000_000_200_000_000n);
  assert.deepEqual([span.scope.name, span.scope.version], ['shop', '1.2.3']);
  assert.match(span.resource.serviceName, /^unknown_service/);
  const linked = traces.get(child.spanContext().traceId).spans.find(({ name }) => name === 'child');
  assert.equal(linked.kind, 'client');
  assert.equal(linked.links[0].traceId, 'b'.repeat(32));
  assert.equal(/** @type {{ text?: string }} */ (linked.links[0].attributes[0]).text, 'retry');
});

test('parse OTLP: gives each trace its own share of the request, unchanged', () => {
  const [a, b] = ['a'.repeat(32), 'b'.repeat(32)];
  const span = (traceId, n) => ({ traceId, spanId: String(n).repeat(16), extra: { kept: n } });
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
  const { traces } = parseRequest({
    resourceSpans: [
      {
        resource,
        schemaUrl: 's',
        scopeSpans: [{ scope: { name: 'x' }, spans: [span(a, 1), span(b, 2), span(a, 3)] }],
      },
      { resource, scopeSpans: [{ scope: { name: 'y' }, spans: [span(a, 4)] }] },
    ],
  });
  assert.deepEqual(toRequest(traces.get(a).resourceSpans), {
    resourceSpans: [
      { resource, schemaUrl: 's', scopeSpans: [{ scope: { name: 'x' }, spans: [span(a, 1), span(a, 3)] }] },
      { resource, scopeSpans: [{ scope: { name: 'y' }, spans: [span(a, 4)] }] },
    ],
  });
  assert.deepEqual(toRequest(traces.get(b).resourceSpans).resourceSpans.length, 1);
});

test('parse OTLP: what is no trace request is refused', () => {
  for (const value of [null, 5, 'x', [], {}, { resourceSpans: 5 }, { resourceSpans: {} }]) {
    assert.throws(() => parseRequest(value), /not an OTLP trace request/);
  }
});

test('parse OTLP: a span without usable ids is skipped and counted, the others stay', () => {
  const good = { traceId: TRACE.toUpperCase(), spanId: 'F'.repeat(16) };
  const bad = [
    null,
    7,
    'span',
    [],
    {},
    { ...good, traceId: 5 },
    { ...good, traceId: '0'.repeat(32) },
    { ...good, traceId: 'a'.repeat(31) },
    { ...good, spanId: 'g'.repeat(16) },
    { ...good, spanId: undefined },
  ];
  const { traces, skipped } = parseRequest(request(...bad, good));
  assert.equal(skipped, bad.length);
  assert.deepEqual([...traces.keys()], [TRACE]);
  assert.equal(traces.get(TRACE).spans[0].spanId, 'f'.repeat(16));
});

test('parse OTLP: wrong types anywhere become the defaults', () => {
  for (const wrong of [null, 5, true, 'x', [], {}, [null, 5, {}, []]]) {
    const span = only({
      parentSpanId: wrong,
      name: wrong,
      kind: wrong,
      status: wrong,
      attributes: wrong,
      events: wrong,
      links: wrong,
      traceState: wrong,
      flags: { wrong },
      droppedAttributesCount: [wrong],
    });
    assert.equal(span.parentSpanId, '');
    assert.equal(span.status.code, 'unset');
    assert.deepEqual(span.attributes, []);
    assert.equal(span.flags, 0);
    assert.deepEqual(span.dropped, { attributes: 0, events: 0, links: 0 });
  }
  const groups = [null, 5, [], {}, { scopeSpans: [null, 5, { spans: 5, scope: 'x' }], resource: 7 }];
  assert.equal(parseRequest({ resourceSpans: groups }).traces.size, 0);
});

test('parse OTLP: names that objects inherit are only names', () => {
  const span = only({ kind: 'constructor', status: { code: '__proto__' }, name: '__proto__' });
  assert.deepEqual([span.kind, span.status.code, span.name], ['unspecified', 'unset', '__proto__']);
});

test('parse OTLP: enums may be written as names', () => {
  const span = only({ kind: 'SPAN_KIND_SERVER', status: { code: 'STATUS_CODE_ERROR' } });
  assert.deepEqual([span.kind, span.status.code], ['server', 'error']);
});

test('parse OTLP: times are whole numbers of 64 bits, or absent', () => {
  assert.equal(readNanos('18446744073709551615'), 18446744073709551615n);
  assert.equal(readNanos(1_700_000_000_000_000_000), 1_700_000_000_000_000_000n);
  const unusable = [
    '18446744073709551616',
    '9'.repeat(5000),
    '-1',
    '1.5',
    '1e9',
    '0x1',
    '',
    ' 1',
    0,
    '0',
    -5,
  ];
  for (const value of [...unusable, 0.5, 1e300, Number.NaN, null, {}, undefined]) {
    assert.equal(readNanos(value), undefined, String(value).slice(0, 30));
  }
});
