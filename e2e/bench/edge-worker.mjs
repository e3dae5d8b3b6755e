// The Worker that `edge-bench.mjs` measures, which sets `globalThis.variant` in front of it.
import { instrument as theirs } from '@microlabs/otel-cf-workers';
import { trace } from '@opentelemetry/api';
import { instrument, r2 } from '../../dist/edge.js';
import { otlp } from '../../dist/otlp.js';

const tracer = trace.getTracer('bench');

/** What most handlers do: wait for something, look at what came, wait again. */
const handler = {
  /** @param {Request} request */
  async fetch(request) {
    const { pathname } = new URL(request.url);
    return tracer.startActiveSpan('look up', async (span) => {
      await null;
      span.setAttribute('shop.item', pathname);
      await tracer.startActiveSpan('render', async (inner) => {
        await null;
        inner.end();
      });
      span.end();
      return Response.json({ pathname });
    });
  },
};

/** R2 in Miniflare is a Worker of its own in the same process, and would be most of what is measured. */
const bucket = { put: async () => ({}), head: async () => null };

const variants = {
  bare: () => handler,
  'spandrel-r2': () => instrument(handler, () => ({ service: 'bench', destination: r2(bucket) })),
  'spandrel-otlp': () =>
    instrument(handler, (env) => ({ service: 'bench', destination: otlp({ url: env.SINK }) })),
  'otel-cf-workers': () =>
    theirs(handler, (env) => ({
      exporter: { url: `${env.SINK}/v1/traces` },
      service: { name: 'bench' },
    })),
};

export default variants[globalThis['variant']]();
