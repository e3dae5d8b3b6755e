// A page's own OpenTelemetry with the official exporter, as its app would have it.
// @ts-expect-error It is got from npm by the test alone.
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

/** @param {string} url @param {string} [key] @returns {Promise<string>} what became of one span. */
globalThis.send = (url, key) =>
  new Promise((told) => {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const exporter = new OTLPTraceExporter({ url, headers });
    const provider = new TracerProvider({
      spanProcessors: [
        new SimpleSpanProcessor({
          exporter: {
            export: (spans, done) =>
              exporter.export(spans, (/** @type {any} */ result) => {
                told(result.code === 0 ? 'stored' : 'refused');
                done(result);
              }),
            shutdown: () => exporter.shutdown(),
          },
        }),
      ],
    });
    provider
      .getTracer('page')
      .startSpan('from a page', { attributes: { key: key ?? 'none' } })
      .end();
  });
