/** The queue consumer in workerd, with Cloudflare's own local queue and R2, from a put to a backend over HTTP. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Miniflare } from 'miniflare';
import { rollup } from 'rollup';
import { traceKey } from '../testing/bucket.js';

/** R2 sends the notification itself where it is real; here whoever puts the object does. */
const WORKER = `
import { forwardConsumer } from './forward.js';
import { r2 } from './r2.js';

export default {
  ...forwardConsumer((env) => ({
    storage: r2(env.TRACES),
    to: { url: env.OTLP_URL, maxRetryMillis: 0 },
    after: 'delete',
  })),
  async fetch(request, env) {
    const events = [];
    for (const { key, base64 } of await request.json()) {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const { size, etag } = await env.TRACES.put(key, bytes);
      const object = { key, size, eTag: etag };
      const eventTime = new Date().toISOString();
      events.push({ body: { account: 'a', bucket: 'traces', action: 'PutObject', object, eventTime } });
    }
    await env.EVENTS.sendBatch(events);
    return new Response(null, { status: 204 });
  },
};`;

const SPAN = {
  ...{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', name: 'GET /', kind: 2 },
  ...{ startTimeUnixNano: '1795057445000000000', endTimeUnixNano: '1795057446000000000' },
};

let miniflare: Miniflare;
let backend: Server;
/** Names of the spans in each request, in the order of arrival. */
let received: string[][] = [];
let answers: { status: number; headers?: Record<string, string> }[] = [];

before(async () => {
  backend = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const text = String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes);
    received.push([...text.matchAll(/"name":"(GET [^"]*)"/g)].map(([, name = '']) => name));
    const { status, headers } = answers.shift() ?? { status: 200 };
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{}');
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  const input = {
    forward: fileURLToPath(new URL('../forward.js', import.meta.url)),
    r2: fileURLToPath(new URL('../server/r2.js', import.meta.url)),
  };
  const built = await rollup({ input });
  const { output } = await built.generate({ format: 'es', chunkFileNames: '[name].js' });
  await built.close();
  const modules = output.flatMap((chunk) =>
    chunk.type === 'chunk' ? [{ type: 'ESModule' as const, path: chunk.fileName, contents: chunk.code }] : [],
  );
  miniflare = new Miniflare({
    cf: false,
    compatibilityDate: '2026-04-01',
    modules: [{ type: 'ESModule', path: 'worker.js', contents: WORKER }, ...modules],
    r2Buckets: { TRACES: 'traces' },
    queueProducers: { EVENTS: 'events' },
    queueConsumers: { events: { maxBatchSize: 10, maxBatchTimeout: 0.2, maxRetries: 5 } },
    bindings: { OTLP_URL: `http://127.0.0.1:${(backend.address() as AddressInfo).port}` },
  });
  await miniflare.ready;
});

after(async () => {
  await miniflare.dispose();
  backend.closeAllConnections();
  backend.close();
});

beforeEach(() => {
  received = [];
  answers = [];
});

async function land(objects: { key: string; bytes: Uint8Array }[]): Promise<void> {
  const body = JSON.stringify(
    objects.map(({ key, bytes }) => ({ key, base64: Buffer.from(bytes).toString('base64') })),
  );
  await miniflare.dispatchFetch('http://worker.test/', { method: 'POST', body });
}

const gzipOfSpan = (span: object): Uint8Array =>
  gzipSync(
    JSON.stringify({ resourceSpans: [{ resource: {}, scopeSpans: [{ spans: [{ ...SPAN, ...span }] }] }] }),
  );

async function keys(): Promise<string[]> {
  const bucket = (await miniflare.getR2Bucket('TRACES')) as unknown as {
    list(): Promise<{ objects: { key: string }[] }>;
  };
  return (await bucket.list()).objects.map(({ key }) => key);
}

/** The keys below a prefix, once they are as many. */
async function untilKeys(prefix: string, count: number): Promise<string[]> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found = (await keys()).filter((key) => key.startsWith(prefix));
    if (found.length === count) return found;
    assert.ok(Date.now() < deadline, `${found.length} keys below ${prefix}, and not ${count}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('queue consumer in workerd: what lands reaches the backend, several objects in one request, and is gone', async () => {
  const atMillis = Date.now();
  const one = { key: traceKey(atMillis, 1), bytes: gzipOfSpan({ name: 'GET /1' }) };
  const two = {
    key: traceKey(atMillis, 2),
    bytes: gzipOfSpan({ name: 'GET /2', spanId: '00f067aa0ba902b7' }),
  };
  await land([one, two]);
  await untilKeys('otlp/', 0);
  assert.deepEqual(
    received.map((names) => names.sort()),
    [['GET /1', 'GET /2']],
  );
  const notes = await untilKeys('spandrel-state/done/', 1);
  assert.equal(notes.length, 1);
});

test('queue consumer in workerd: a backend that fails gets it again', async () => {
  answers = [{ status: 503, headers: { 'retry-after': '1' } }];
  await land([
    { key: traceKey(Date.now(), 3), bytes: gzipOfSpan({ name: 'GET /3', spanId: '0000000000000003' }) },
  ]);
  await untilKeys('otlp/', 0);
  assert.deepEqual(received, [['GET /3'], ['GET /3']]);
});

test('queue consumer in workerd: poison goes to quarantine, and costs the others nothing', async () => {
  const poison = traceKey(Date.now(), 4);
  await land([
    { key: poison, bytes: Buffer.from('no gzip') },
    { key: traceKey(Date.now(), 5), bytes: gzipOfSpan({ name: 'GET /5', spanId: '0000000000000005' }) },
  ]);
  await untilKeys('otlp/', 0);
  assert.deepEqual(received, [['GET /5']]);
  assert.deepEqual(await untilKeys('quarantine/', 2), [
    `quarantine/not-gzip/${poison}`,
    `quarantine/not-gzip/${poison}.reason.json`,
  ]);
});
