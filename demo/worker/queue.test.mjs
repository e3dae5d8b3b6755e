import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { startHost } from '../host.mjs';
import { send } from '../testing/client.mjs';

/** A backend that keeps what it is sent. */
async function startBackend() {
  /** @type {any[]} */
  const spans = [];
  /** @type {Set<() => void>} */
  const waiting = new Set();
  const server = createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { resourceSpans } = JSON.parse(
      (req.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString(),
    );
    for (const { resource, scopeSpans } of resourceSpans) {
      for (const scope of scopeSpans)
        for (const span of scope.spans) spans.push({ ...span, resource, path: req.url });
    }
    res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    for (const wake of waiting) wake();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    /** Resolves with the spans of a trace once there are any. @param {string} traceId */
    async spansOf(traceId) {
      for (;;) {
        const found = spans.filter((span) => span.traceId === traceId);
        if (found.length > 0) return found;
        await new Promise((resolve) => waiting.add(() => resolve(undefined)));
      }
    },
    close: () => server.close(),
  };
}

test('worker: what lands in the bucket goes to the backend by the queue, and stays', {
  timeout: 60_000,
}, async (t) => {
  const backend = await startBackend();
  t.after(backend.close);
  const host = await startHost({ worker: true, otlpUrl: backend.url });
  t.after(() => host.close());
  const traceId = 'c'.repeat(32);
  await send(`${host.origin}/api/products`, {
    headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
  });
  const spans = await backend.spansOf(traceId);
  assert.deepEqual(
    spans.map(({ name, path }) => [name, path]),
    [['GET /api/products', '/v1/traces']],
  );
  const attributes = spans[0].resource.attributes.map((/** @type {any} */ { key, value }) => [
    key,
    value.stringValue,
  ]);
  assert.ok(
    attributes.some(([key, value]) => key === 'spandrel.ingest.project' && value === 'default'),
    attributes.join(' '),
  );
  assert.equal((await host.mock.bucket.list()).length, 1);
});
