// The built files behind each OpenTelemetry SDK that an app may bring, in Node. In pages: `e2e/opentelemetry.spec.ts`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TraceBatchProcessor, TraceExporter } from '../../dist/edge.js';
import { API_VERSIONS, copyOf } from '../opentelemetry/copies.mjs';

/** @param {Uint8Array[]} taken */
const destination = (taken) => ({
  open: () => ({
    warmUp() {},
    ready: () => true,
    leave() {},
    settle: async () => {},
    close() {},
    send: async (/** @type {{ bytes: Uint8Array }} */ blob) => {
      taken.push(blob.bytes);
      return { status: 'stored' };
    },
  }),
});

for (const version of API_VERSIONS) {
  test(`SDK beside API ${version}: our processor and the stock one take our exporter`, async () => {
    const { sdkName, require } = copyOf(version);
    const sdk = require(sdkName);
    const Provider = sdk.TracerProvider ?? sdk.BasicTracerProvider;
    for (const isStock of [false, true]) {
      /** @type {Uint8Array[]} */
      const taken = [];
      const exporter = new TraceExporter({ destination: /** @type {any} */ (destination(taken)) });
      const stock = () =>
        sdk.TracerProvider ? new sdk.BatchSpanProcessor({ exporter }) : new sdk.BatchSpanProcessor(exporter);
      const processor = isStock ? stock() : new TraceBatchProcessor(exporter);
      const provider = new Provider({ spanProcessors: [processor] });
      provider.getTracer('app').startSpan('a').end();
      await provider.forceFlush();
      assert.equal(exporter.stats().spans.created, 1, `${isStock}`);
      // The stock one waits until the exporter has them, not until they are stored.
      for (let tries = 0; tries < 500 && !exporter.stats().spans.stored; tries++)
        await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(exporter.stats().spans.stored, 1, JSON.stringify(exporter.stats()));
      await provider.shutdown();
    }
  });
}
