/** The sender where Workers run: workerd has its own streams, timers and `fetch`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { Miniflare, Response } from 'miniflare';
import { rollup } from 'rollup';
import { gzipped, objectOf, span, spansIn } from '../testing/forward.js';

const WORKER = `
import { createBatchSender } from 'sender';
export default {
  async fetch(request, env) {
    const { objects, options } = await request.json();
    const sender = createBatchSender({ url: env.URL, maxRetryMillis: 1000, ...options });
    const bytesOf = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    const fetched = objects.map(({ key, bytes }) => ({ key, bytes: bytesOf(bytes) }));
    return Response.json(await sender.send(fetched));
  },
};`;

test('workerd: objects are inspected, stamped, joined and sent, and answers read', async () => {
  const bundle = await rollup({
    input: 'worker',
    plugins: [
      {
        name: 'worker',
        resolveId: (id) =>
          id === 'worker'
            ? id
            : id === 'sender'
              ? fileURLToPath(new URL('./batch-sender.js', import.meta.url))
              : null,
        load: (id) => (id === 'worker' ? WORKER : null),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'es' });
  const bodies: Buffer[] = [];
  const statuses = [503, 200, 307];
  const miniflare = new Miniflare({
    modules: true,
    script: output[0].code,
    compatibilityDate: '2026-04-01',
    bindings: { URL: 'http://backend.test/otlp' },
    outboundService: async (request: Request) => {
      bodies.push(Buffer.from(await request.arrayBuffer()));
      assert.equal(new URL(request.url).pathname, '/otlp/v1/traces');
      const status = statuses.shift() ?? 200;
      const headers: Record<string, string> =
        status === 307 ? { location: 'http://backend.test/elsewhere' } : {};
      return new Response('{"partialSuccess":{"rejectedSpans":"1"}}', { status, headers });
    },
  });
  const send = async (objects: { key: string; bytes: Uint8Array }[], options: object = {}) => {
    const texts = objects.map(({ key, bytes }) => ({ key, bytes: Buffer.from(bytes).toString('base64') }));
    const body = JSON.stringify({ objects: texts, options });
    const response = await miniflare.dispatchFetch('http://worker.test/', { method: 'POST', body });
    // biome-ignore lint/suspicious/noExplicitAny: JSON that we have written
    return (await response.json()) as any;
  };
  try {
    const good = objectOf(0, [span(0, 0), span(0, 1)]);
    const twice = { key: 'two members', bytes: Buffer.concat([good.bytes, good.bytes]) };
    const bomb = { key: 'bomb', bytes: gzipped(new Uint8Array(50_000_000)) };
    const joined = await send([good, twice, objectOf(1, [span(0, 2)]), bomb]);
    const fates = joined.results.map(
      ({ status, reason = '' }: Record<string, string>) => `${status} ${reason}`,
    );
    assert.deepEqual(fates, ['sent ', 'quarantine not-gzip', 'sent ', 'quarantine too-large']);
    assert.equal(joined.requestCount, 2);
    const json = JSON.parse(gunzipSync(bodies[1] as Buffer).toString());
    assert.equal(spansIn(json).length, 3);
    assert.equal(json.resourceSpans[0].resource.attributes[1].key, 'spandrel.ingest.project');
    const redirected = await send([good]);
    assert.equal(redirected.results[0].message, 'it redirects, which is not followed; look at the URL');
    await send([good], { stamp: false });
    assert.deepEqual(bodies.at(-1), Buffer.from(good.bytes));
  } finally {
    await miniflare.dispose();
    await bundle.close();
  }
});
