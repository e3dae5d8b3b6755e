/** A day of a small shop as spans of the official SDK, with every kind of field that a question may be about. */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-web';

/** @typedef {import('@opentelemetry/sdk-trace-web').ReadableSpan} Span */

const ROUTES = ['/', '/product/:id', '/cart', '/café/★'];
const BEGAN_AT_SECONDS = 1_790_000_000;

/** @param {Record<string, unknown>} attributes @returns {any} */
const resourceOf = (attributes) => ({
  attributes,
  merge: (/** @type {any} */ other) => other,
  getRawAttributes: () => Object.entries(attributes),
});

/**
 * Same times, names and attributes on every run; ids are new.
 *
 * @param {number} visits Traces of a page, each with a load, requests and, for every third request, what the server did.
 * @returns {Span[]} in end order
 */
export function shopSpans(visits) {
  const exporter = new InMemorySpanExporter();
  const providerOf = (/** @type {Record<string, unknown>} */ resource) =>
    new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter)],
      resource: resourceOf(resource),
    });
  const shop = providerOf({ 'service.name': 'shop', 'service.version': '1.2.3', 'browser.mobile': false });
  const api = providerOf({ 'service.name': 'api', 'process.pid': 4_242 });
  const load = shop.getTracer('load', '2.0.0');
  const fetches = shop.getTracer('fetch');
  const server = api.getTracer('server', '0.1.0');

  for (let visit = 0; visit < visits; visit++) {
    const route = ROUTES[visit % ROUTES.length] ?? '/';
    /** @type {(millis: number, nanos?: number) => [number, number]} */
    const at = (millis, nanos = visit) => [
      BEGAN_AT_SECONDS + visit * 60 + Math.floor(millis / 1_000),
      (millis % 1_000) * 1_000_000 + nanos,
    ];
    const root = load.startSpan(
      `load ${route}`,
      { startTime: at(0), attributes: { 'url.template': route, 'session.id': `s${visit % 7}` } },
      ROOT_CONTEXT,
    );
    const inLoad = trace.setSpan(ROOT_CONTEXT, root);
    for (let index = 0; index < 1 + (visit % 5); index++) {
      const failed = (visit + index) % 11 === 0;
      const attributes = { 'http.request.method': index % 2 ? 'POST' : 'GET', 'url.template': route };
      const request = fetches.startSpan(
        'GET',
        { kind: SpanKind.CLIENT, startTime: at(10 * index), attributes },
        inLoad,
      );
      request.setAttribute('http.response.status_code', failed ? 503 : 200);
      if (index % 3 === 0) {
        const context = trace.setSpan(ROOT_CONTEXT, request);
        const handled = server.startSpan(
          'GET /api',
          { kind: SpanKind.SERVER, startTime: at(10 * index + 2) },
          context,
        );
        if (failed) handled.recordException(new TypeError(`no "stock" of ${visit}`), at(10 * index + 3));
        handled.end(at(10 * index + 5 + visit));
      }
      if (failed) request.setStatus({ code: SpanStatusCode.ERROR, message: 'HTTP 503' });
      request.end(at(10 * index + 20 + ((visit * 37) % 211)));
    }
    root.end(at(400 + ((visit * 7) % 13)));
  }
  oddities(load, api.getTracer('worker'));
  return exporter.getFinishedSpans();
}

/**
 * @param {import('@opentelemetry/api').Tracer} load
 * @param {import('@opentelemetry/api').Tracer} worker
 */
function oddities(load, worker) {
  const startTime = /** @type {[number, number]} */ ([BEGAN_AT_SECONDS, 123_456_789]);
  const remote = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote: true };
  const odd = load.startSpan('odd "name"\n\u2028 \ud83d\ude00', {
    startTime,
    kind: SpanKind.PRODUCER,
    links: [
      { context: remote, attributes: { reason: 'batch' } },
      { context: { ...remote, spanId: 'c'.repeat(16) } },
    ],
    attributes: {
      text: 'quote " backslash \\ tab \t ümlaut 漢字 \ud83d\ude00',
      empty: '',
      yes: true,
      no: false,
      int: 42,
      negative: -7,
      largest: Number.MAX_SAFE_INTEGER,
      double: 0.1,
      tiny: 5e-324,
      texts: ['a', 'c"', ''],
      numbers: [1, -3],
      none: [],
      'dotted.name': 'x',
    },
  });
  odd.addEvent('clicked', { x: 3, label: 'Buy "now"' }, [BEGAN_AT_SECONDS, 123_456_790]);
  odd.addEvent('bare', undefined, [BEGAN_AT_SECONDS, 123_456_791]);
  odd.end([BEGAN_AT_SECONDS + 1, 123_456_790]);
  worker
    .startSpan(
      'of a parent elsewhere',
      { startTime, kind: SpanKind.CONSUMER },
      trace.setSpanContext(ROOT_CONTEXT, remote),
    )
    .setStatus({ code: SpanStatusCode.OK })
    .end([BEGAN_AT_SECONDS, 123_456_789]);
}
