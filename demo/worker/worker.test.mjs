import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { startHost } from '../host.mjs';
import { exchange, put, send, uploads } from '../testing/client.mjs';

const SERVER = 2;
const CLIENT = 3;

/** @type {import('../host.mjs').Host} */
let host;
before(async () => {
  host = await startHost({ worker: true });
});
after(() => host.close());

let count = 0;
/** Ids of a trace and of the span in it that a page would have. */
const newTrace = () => ({ traceId: (++count).toString(16).padStart(32, 'a'), spanId: 'b7ad6b7169203331' });

/** @param {{ traceId: string, spanId: string }} page */
const headersOf = ({ traceId, spanId }) => ({ traceparent: `00-${traceId}-${spanId}-01` });

/** All spans in the bucket, each with its service and the key of its object. */
async function allSpans() {
  const spans = [];
  for (const { key } of await host.mock.bucket.list()) {
    const { resourceSpans = [] } = JSON.parse(gunzipSync((await host.mock.bucket.get(key)) ?? '').toString());
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = textOf(resource, 'service.name');
      for (const scope of scopeSpans) for (const span of scope.spans) spans.push({ ...span, key, service });
    }
  }
  return spans;
}

/** @param {any} holder @param {string} name */
const textOf = ({ attributes = [] }, name) =>
  attributes.find((/** @type {any} */ { key }) => key === name)?.value.stringValue;

/**
 * The spans of a trace, once all of `names` are there; the test's timeout ends the wait.
 *
 * @param {string} traceId
 * @param {string[]} names
 */
async function stored(traceId, names) {
  for (;;) {
    const spans = (await allSpans()).filter((span) => span.traceId === traceId);
    if (names.every((name) => spans.some((span) => span.name === name))) return spans;
    await delay(20);
  }
}

/** The logs of a trace, once there are any. @param {string} traceId */
async function logsOf(traceId) {
  for (;;) {
    const logs = [];
    for (const { key } of await host.mock.bucket.list()) {
      const { resourceLogs = [] } = JSON.parse(
        gunzipSync((await host.mock.bucket.get(key)) ?? '').toString(),
      );
      for (const { scopeLogs } of resourceLogs)
        for (const { logRecords } of scopeLogs) logs.push(...logRecords);
    }
    const found = logs.filter((log) => log.traceId === traceId);
    if (found.length > 0) return found;
    await delay(20);
  }
}

const LIMIT = { timeout: 20_000 };

test('worker: what a page begins, it goes on with, down to the service behind it', LIMIT, async () => {
  const page = newTrace();
  const body = JSON.stringify({ id: 'trowel' });
  const answer = await send(`${host.origin}/api/cart`, { method: 'POST', headers: headersOf(page), body });
  assert.deepEqual(JSON.parse(answer.text), { count: 1, total: 24 });
  const names = ['POST /api/cart', 'price basket', 'hold stock', 'POST', 'POST /holds'];
  const spans = await stored(page.traceId, names);
  assert.deepEqual(spans.map(({ name }) => name).sort(), [...names].sort(), 'and nothing else');
  const [server, price, hold, request, holds] = names.map((name) => spans.find((span) => span.name === name));
  assert.deepEqual([server.kind, request.kind], [SERVER, CLIENT]);
  assert.equal(server.parentSpanId, page.spanId);
  assert.equal(price.parentSpanId, server.spanId);
  assert.equal(hold.parentSpanId, server.spanId);
  assert.equal(request.parentSpanId, hold.spanId);
  assert.equal(host.warehouseHeard().at(-1), `00-${page.traceId}-${request.spanId}-01`);
  const [warehouse, ...worker] = [holds, ...spans.filter((span) => span !== holds)];
  assert.deepEqual(
    [warehouse.service, warehouse.kind, warehouse.parentSpanId],
    ['warehouse', SERVER, request.spanId],
  );
  for (const { service, key } of worker) {
    assert.equal(service, 'shop-api');
    assert.equal(key, server.key, 'one request, one object');
  }
  const [log] = await logsOf(page.traceId);
  assert.deepEqual([log.body.stringValue, log.spanId], [`held ${body}`, holds.spanId]);
});

test('worker: a page load goes on with the trace of its document', LIMIT, async () => {
  const answer = await send(`${host.origin}/shop/cart`);
  assert.match(answer.text, /Keystone/);
  const [, traceId = '', spanId] =
    /traceparent;desc="?00-([0-9a-f]{32})-([0-9a-f]{16})-01/.exec(String(answer.headers['server-timing'])) ??
    [];
  const [server] = await stored(traceId, ['GET']);
  assert.deepEqual([server.spanId, server.kind, server.parentSpanId ?? ''], [spanId, SERVER, '']);
});

test('worker: a failure is on the span of the request, and not in the answer alone', LIMIT, async () => {
  const page = newTrace();
  assert.equal((await send(`${host.origin}/api/fail`, { headers: headersOf(page) })).status, 500);
  const [server] = await stored(page.traceId, ['GET /api/fail']);
  assert.equal(server.status.code, 2);
});

test('worker: a streamed answer comes piece by piece, and its span is as long as it', LIMIT, async () => {
  const page = newTrace();
  const { body } = await fetch(`${host.origin}/api/slow`, { headers: headersOf(page) });
  let pieces = 0;
  for await (const _ of body ?? []) pieces += 1;
  assert.ok(pieces > 1);
  const [server] = await stored(page.traceId, ['GET /api/slow']);
  assert.ok(BigInt(server.endTimeUnixNano) - BigInt(server.startTimeUnixNano) >= 1_400_000_000n);
});

test('worker: it is the endpoint for its pages, and what they ask for is in no trace', LIMIT, async () => {
  const endpoint = `${host.origin}/spandrel`;
  // No gzip of a trace is shorter than the 64 bytes that are signed at least.
  const bytes = gzipSync(JSON.stringify({ resourceSpans: [], id: crypto.randomUUID().repeat(3) }));
  const [upload] = await uploads(endpoint, host.origin, 1, bytes.length);
  assert.ok(upload);
  assert.equal((await put(upload, bytes)).status, 200);
  assert.ok(await host.mock.bucket.about(upload.key));
  assert.equal((await exchange(endpoint, 'http://elsewhere.example', { want: 1 })).status, 403);
  const page = newTrace();
  await send(`${host.origin}/api/products`, { headers: headersOf(page) });
  await stored(page.traceId, ['GET /api/products']);
  const paths = (await allSpans()).map((span) => textOf(span, 'url.path'));
  assert.ok(paths.includes('/api/products') && !paths.includes('/spandrel'), paths.join());
});

test('worker: the viewer hears of what it stores by its binding', LIMIT, async () => {
  const events = await fetch(`${host.origin}/viewer/api/events`);
  const page = newTrace();
  await send(`${host.origin}/api/products`, { headers: headersOf(page) });
  const [{ key }] = await stored(page.traceId, ['GET /api/products']);
  let text = '';
  for await (const chunk of events.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.includes(key)) break;
  }
  assert.ok(text.includes(key));
});
