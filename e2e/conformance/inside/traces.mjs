/** The official SDK with our processor and exporter, as an app has them. */
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-web';
import { bucket, TraceBatchProcessor, TraceExporter } from 'spandrel/edge';

/**
 * @param {import('../case.mjs').Env} env
 * @param {Record<string, any>} [options] Of the exporter. Default destination: the mock's bucket.
 */
export function openTracing({ service, endpoint }, options = {}) {
  const exporter = new TraceExporter({ destination: bucket({ endpoint }), ...options });
  const processor = new TraceBatchProcessor(exporter, { scheduledDelayMillis: 0 });
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(memory), processor],
    resource: resourceOf({ 'service.name': service }),
  });
  return {
    exporter,
    processor,
    tracer: provider.getTracer('conformance', '1.0.0'),
    /** The spans that have ended, as the official serializer takes them. */
    ended: () => memory.getFinishedSpans(),
    /** Ends all, and tells what became of the spans. */
    async close() {
      await processor.shutdown();
      return told(exporter.stats());
    },
  };
}

/** @param {Record<string, string>} attributes @returns {any} */
export const resourceOf = (attributes) => ({
  attributes,
  merge: (/** @type {any} */ other) => other,
  getRawAttributes: () => Object.entries(attributes),
});

/** The ledger. @param {any} stats */
export function told({ spans: { created, adopted, stored, waiting, dropped, handedOver }, exceptions }) {
  const lost = /** @type {number[]} */ (Object.values(dropped)).reduce((sum, count) => sum + count, 0);
  if (created + adopted !== stored + waiting + lost + handedOver)
    throw new Error('the ledger does not add up');
  return { created, stored, waiting, dropped, exceptions };
}

/** A child of `parent`. @param {import('@opentelemetry/api').Span} parent */
export const under = (parent) => trace.setSpan(ROOT_CONTEXT, parent);
