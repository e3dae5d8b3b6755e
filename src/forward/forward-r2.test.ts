/** Forwarding from Cloudflare's own local R2 by its S3 API: endpoint, page, bucket, backend, and the page's question. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Miniflare } from 'miniflare';
import type { PresignedUpload } from '../protocol.js';
import { s3 } from '../server/s3.js';
import type { Storage } from '../server/storage.js';
import { ingestHarness } from '../testing/ingest-harness.js';
import { forward } from './forward.js';
import type { ForwardOptions } from './forward-options.js';

const CREDENTIALS = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key' };

let miniflare: Miniflare;
let backend: Server;
let storage: Storage;
/** Span ids, in the order of arrival. */
const received: string[] = [];

before(async () => {
  backend = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = String(gunzipSync(Buffer.concat(chunks)));
    received.push(...[...text.matchAll(/"spanId":"(\w+)"/g)].map(([, id = '']) => id));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  miniflare = new Miniflare({
    modules: true,
    script: 'export default { fetch: () => new Response() }',
    compatibilityDate: '2026-04-01',
    r2Buckets: { BUCKET: { id: 'traces', s3Credentials: CREDENTIALS } },
  });
  const { origin } = await miniflare.ready;
  storage = s3({ endpoint: `${origin}/cdn-cgi/local/r2/s3`, bucket: 'traces', ...CREDENTIALS });
});

after(async () => {
  await miniflare.dispose();
  backend.closeAllConnections();
  backend.close();
});

const now = Date.now();
let spans = 0;

function traceBytes(): { spanId: string; body: Uint8Array<ArrayBuffer> } {
  spans += 1;
  const spanId = spans.toString(16).padStart(16, '0');
  const nanos = `${now}000000`;
  const span = {
    traceId: `${spanId}${spanId}`,
    spanId,
    name: 'GET',
    startTimeUnixNano: nanos,
    endTimeUnixNano: nanos,
  };
  const json = JSON.stringify({ resourceSpans: [{ resource: {}, scopeSpans: [{ spans: [span] }] }] });
  return { spanId, body: new Uint8Array(gzipSync(json)) };
}

const upload = (
  { url, method, headers }: PresignedUpload,
  body: Uint8Array<ArrayBuffer>,
): Promise<Response> => fetch(url, { method, headers, body });

const pass = (options: Partial<ForwardOptions> = {}) =>
  forward({
    storage,
    to: { url: `http://127.0.0.1:${(backend.address() as AddressInfo).port}` },
    ...{ after: 'delete' },
    ...options,
  });

test('forward from R2: a page whose beacon was forwarded and deleted is told that it is stored, and a copy is not sent', async () => {
  const { exchange } = ingestHarness({ storage, now: () => now });
  const { spanId, body: bytes } = traceBytes();
  const { body } = await exchange({ want: 2, sizes: [bytes.length, bytes.length] });
  const [sent, never] = body.uploads;
  assert.ok(sent && never);
  assert.equal((await upload(sent, bytes)).status, 200);

  const summary = await pass();
  assert.equal(summary.ended, 'done', summary.message);
  assert.equal(summary.sent, 1);
  assert.deepEqual(received, [spanId]);
  assert.equal(await storage.head(sent.key), undefined);
  assert.deepEqual((await exchange({ confirm: [sent.token, never.token] })).body.confirmed, [
    { token: sent.token, stored: true },
    { token: never.token, stored: false },
  ]);

  // A page that does not ask puts it again.
  assert.equal((await upload(sent, bytes)).status, 200);
  assert.equal((await pass()).alreadyDone, 1);
  assert.equal(await storage.head(sent.key), undefined);
  assert.deepEqual(received, [spanId]);
});

test('forward from R2: three at once send each object once', async () => {
  received.length = 0;
  const { issue, clock } = ingestHarness({ storage });
  clock.nowMillis = now;
  const expected: string[] = [];
  for (let count = 0; count < 60; count += 1) {
    // Some minutes, so that there is something to share.
    clock.nowMillis = now - (count % 6) * 60_000;
    const { key } = await issue();
    const { spanId, body } = traceBytes();
    await storage.put(key, body);
    expected.push(spanId);
  }
  const summaries = await Promise.all([1, 2, 3].map(() => pass({ after: 'move', maxBatchObjects: 4 })));
  for (const { ended, message } of summaries) assert.equal(ended, 'done', message);
  await pass({ after: 'move' });
  assert.deepEqual(received.sort(), expected.sort());
  const moved = await storage.list('forwarded/');
  assert.equal(moved.objects.length, 60);
  assert.deepEqual((await storage.list('otlp/')).objects, []);
  assert.deepEqual((await storage.list('spandrel-state/leases/')).objects, []);
});

test('forward from R2: what is no trace is in quarantine with its bytes, and a record that can be read', async () => {
  const { key } = await ingestHarness({ storage }).issue();
  const bytes = new TextEncoder().encode('no gzip');
  await storage.put(key, bytes);
  const summary = await pass();
  assert.deepEqual(summary.quarantined, { 'not-gzip': 1 });
  assert.deepEqual(await storage.get(`quarantine/not-gzip/${key}`), bytes);
  const record = await storage.get(`quarantine/not-gzip/${key}.reason.json`);
  assert.equal(JSON.parse(new TextDecoder().decode(record)).key, key);
});
