// A Worker that is instrumented by otel-cf-workers, and sends where it is told.
// @ts-expect-error It is got from npm by the test alone.
import { instrument } from '@microlabs/otel-cf-workers';
import { trace } from '@opentelemetry/api';

const handler = {
  async fetch() {
    return trace.getTracer('shop').startActiveSpan('price basket', async (span) => {
      span.setAttribute('basket.size', 3);
      span.addEvent('priced', { total: 12.5 });
      span.end();
      return new Response('priced');
    });
  },
};

export default instrument(handler, (/** @type {{ URL: string, KEY: string }} */ env) => ({
  exporter: { url: `${env.URL}/v1/traces`, headers: { authorization: `Bearer ${env.KEY}` } },
  service: { name: 'shop-api', version: '1.2.3' },
}));
