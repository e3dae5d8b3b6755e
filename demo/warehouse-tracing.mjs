import { ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

const SERVICE = { 'service.name': 'warehouse', 'service.version': '1.0.0' };
/** Whoever looks at the demo waits for it. */
const DELAY_MILLIS = 200;
const INFO = 9;
const FAILURE = 1;

/**
 * A plain Node service as OpenTelemetry traces one: its SDK, and OTLP over HTTP to wherever its environment says. In a
 * service of your own the exporter is `@opentelemetry/exporter-trace-otlp-http`.
 *
 * @param {{ url: string, key: string }} endpoint Where OTLP goes, without `/v1/traces`, and the key that lets it in.
 */
export function startTracing({ url, key }) {
  /** @param {'traces' | 'logs'} signal @param {BodyInit} body */
  const post = async (signal, body) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/v1/${signal}`, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`${signal}: HTTP ${answer.status}`);
  };
  /** @type {import('@opentelemetry/sdk-trace').SpanExporter} */
  const exporter = {
    export(spans, done) {
      post('traces', new Uint8Array(JsonTraceSerializer.serializeRequest(spans) ?? [])).then(
        () => done({ code: 0 }),
        (error) => done({ code: FAILURE, error }),
      );
    },
    shutdown: async () => {},
  };
  const processor = new BatchSpanProcessor({ exporter, scheduledDelayMillis: DELAY_MILLIS });
  const provider = new TracerProvider({
    resource: resourceFromAttributes(SERVICE),
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer('warehouse');
  const propagator = new W3CTraceContextPropagator();

  return {
    /**
     * Runs `work` in the span of a request, in the trace that it came in.
     *
     * @param {import('node:http').IncomingMessage} req
     * @param {(span: import('@opentelemetry/api').Span) => Promise<number>} work Gives the status of the answer.
     */
    async serve(req, work) {
      const getter = {
        get: (/** @type {any} */ headers, /** @type {string} */ name) => headers[name],
        keys: Object.keys,
      };
      const parent = propagator.extract(ROOT_CONTEXT, req.headers, getter);
      const attributes = { 'http.request.method': req.method, 'url.path': req.url };
      const options = { kind: SpanKind.SERVER, attributes };
      const span = tracer.startSpan(`${req.method} ${req.url}`, options, parent);
      try {
        const status = await work(span);
        span.setAttribute('http.response.status_code', status);
        if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      } finally {
        span.end();
      }
    },
    /** A line of its log, in the trace of `span`. @param {string} text @param {import('@opentelemetry/api').Span} span */
    log(text, span) {
      const { traceId, spanId, traceFlags: flags } = span.spanContext();
      const timeUnixNano = `${Date.now()}000000`;
      const record = {
        ...{ timeUnixNano, observedTimeUnixNano: timeUnixNano, traceId, spanId, flags },
        ...{ severityNumber: INFO, severityText: 'INFO', body: { stringValue: text } },
      };
      const attributes = Object.entries(SERVICE).map(([name, stringValue]) => ({
        key: name,
        value: { stringValue },
      }));
      const resourceLogs = [{ resource: { attributes }, scopeLogs: [{ logRecords: [record] }] }];
      // A line that is lost is no reason to fail a request.
      post('logs', JSON.stringify({ resourceLogs })).catch(() => undefined);
    },
    stop: () => provider.shutdown(),
  };
}
