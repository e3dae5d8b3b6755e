/** Spans of the real SDK with every field there is, and what makes two writings of them comparable. For tests only. */
import assert from 'node:assert/strict';
import {
  createTraceState,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  type ReadableSpan as SdkSpan,
  SimpleSpanProcessor,
  WebTracerProvider,
} from '@opentelemetry/sdk-trace-web';
import { SECONDS, TRACE_ID } from './encoding.js';

/** Two providers with a resource each, several scopes, one trace. */
export function sdkSpans(): SdkSpan[] {
  const exporter = new InMemorySpanExporter();
  const limits = {
    attributeCountLimit: 12,
    eventCountLimit: 2,
    linkCountLimit: 2,
    attributePerEventCountLimit: 1,
  };
  const provider = (service: string) =>
    new WebTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter)],
      spanLimits: { ...limits, attributePerLinkCountLimit: 1 },
      resource: {
        attributes: { 'service.name': service, 'host.cpu.count': 2 },
        schemaUrl: 'https://opentelemetry.io/schemas/1.43.0',
        merge: () => assert.fail('not merged'),
        getRawAttributes: () => [],
      },
    });
  const shop = provider('shop');
  const worker = provider('worker');
  const remote: SpanContext = {
    traceId: TRACE_ID,
    spanId: '00f067aa0ba902b7',
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
    traceState: createTraceState('vendor=a"b,other=1'),
  };
  const linked: SpanContext = { ...remote, spanId: '1111111111111111', traceFlags: TraceFlags.NONE };
  const load = shop.getTracer('load', '1.2.3', { schemaUrl: 'https://opentelemetry.io/schemas/1.44.0' });
  const root = load.startSpan(
    'load "page"\n\u2028 \ud83d\ude00',
    {
      kind: SpanKind.SERVER,
      startTime: [SECONDS, 1],
      links: [1, 2, 3].map((n) => ({ context: linked, attributes: { n, 'over the limit': true } })),
    },
    trace.setSpanContext(ROOT_CONTEXT, remote),
  );
  const context = trace.setSpan(ROOT_CONTEXT, root);
  root.setAttributes({
    string: 'quote " backslash \\ tab \t nul \0 \u007f \u2029 ümlaut 漢字',
    empty: '',
    int: 42,
    negative: -7,
    largest: Number.MAX_SAFE_INTEGER,
    double: 0.1,
    tiny: 5e-324,
    yes: true,
    no: false,
    strings: ['a', null, 'c"', undefined],
    numbers: [1, 2.5, -3],
    none: [],
    'over the limit': 1,
  });
  for (const name of ['lost', 'first', 'second "event"']) {
    root.addEvent(name, { name, 'over the limit': 1 }, [SECONDS, 999_999_999]);
  }
  const children = [
    load.startSpan('child', { kind: SpanKind.CLIENT, startTime: [SECONDS, 10_000_000] }, context),
    shop
      .getTracer('fetch')
      .startSpan('GET', { kind: SpanKind.PRODUCER, startTime: [SECONDS + 1, 0] }, context),
    worker
      .getTracer('load', '1.2.3')
      .startSpan('job', { kind: SpanKind.CONSUMER, startTime: [SECONDS, 9] }, context),
  ];
  children[0]?.setStatus({ code: SpanStatusCode.ERROR, message: 'it "broke"' }).end([SECONDS, 20_000_000]);
  children[1]?.setStatus({ code: SpanStatusCode.OK }).end([SECONDS + 2, 123]);
  children[2]?.recordException(new TypeError('no'), [SECONDS, 11]);
  children[2]?.end([SECONDS, 12]);
  root.end([SECONDS + 3, 0]);
  return exporter.getFinishedSpans();
}

/**
 * Only representation is levelled: 64-bit integers as strings, what is empty or zero left out, and a `schemaUrl`
 * inside `resource`, where OTLP has no such field, which the oracle writes beside the right one.
 */
export function levelled(value: unknown, key = ''): unknown {
  if (key === 'intValue') return String(value);
  if (Array.isArray(value)) return value.map((item) => levelled(item));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value)
    .map(([name, item]) => [name, levelled(item, name)] as const)
    .filter(([name]) => !(key === 'resource' && name === 'schemaUrl'))
    .filter(([name, item]) => /Value$|^values?$/.test(name) || !isEmpty(item));
  return Object.fromEntries(kept);
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === 0 || value === '' || value === undefined;
}
