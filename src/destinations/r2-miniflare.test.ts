/** The R2 destination in workerd, with a binding to Cloudflare's own local R2. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { Miniflare } from 'miniflare';
import { rollup } from 'rollup';
import { gzipNow } from '../pipeline/compress.js';
import { handMadeBlob } from '../testing/blobs.js';
import { outcomeOfError } from './r2-errors.js';

const JSON_TEXT = '{"resourceSpans":[]}';
const KEY =
  'otlp/v1/shop/production/year=2026/month=11/day=21/hour=03/minute=04/traces_01999999-9999-7999-8999-999999999999.json.gz';

/** Sends the blob of each request as often as it says, all at once, and tells what came of it. */
const WORKER = `
import { r2 } from './r2.js';
export default {
  async fetch(request, env) {
    const { times, blob } = await request.json();
    blob.bytes = new Uint8Array(blob.bytes);
    const deps = {
      platform: { now: () => blob.bornAtMillis, after: (millis, task) => { const timer = setTimeout(task, millis); return () => clearTimeout(timer); } },
      diagnostics: { totals: { requests: { uploads: 0, uploadFailures: 0 } } },
    };
    const open = r2(env.TRACES, { project: 'shop' }).open(deps);
    const outcomes = await Promise.all(
      Array.from({ length: times }, () => open.send({ ...blob, bytes: blob.bytes.slice() })),
    );
    let thrown;
    try { await env.TRACES.put('x'.repeat(1_025), blob.bytes); } catch (error) { thrown = String(error); }
    let missing;
    try { r2(env.MISSING); } catch (error) { missing = String(error); }
    return Response.json({ outcomes, thrown, missing, requests: deps.diagnostics.totals.requests });
  },
};`;

let miniflare: Miniflare;

before(async () => {
  const input = fileURLToPath(new URL('r2.js', import.meta.url));
  const built = await rollup({ input });
  const [{ code }] = (await built.generate({ format: 'es' })).output;
  await built.close();
  miniflare = new Miniflare({
    cf: false,
    compatibilityDate: '2026-04-01',
    modules: [
      { type: 'ESModule', path: 'worker.js', contents: WORKER },
      { type: 'ESModule', path: 'r2.js', contents: code },
    ],
    r2Buckets: { TRACES: 'traces' },
  });
  await miniflare.ready;
});

after(() => miniflare.dispose());

interface Told {
  outcomes: unknown[];
  thrown: string;
  missing: string;
  requests: { uploads: number; uploadFailures: number };
}

async function send(times: number, json: string): Promise<Told> {
  const { bytes } = gzipNow(json);
  const blob = handMadeBlob({
    ...{ id: '01999999-9999-7999-8999-999999999999', bornAtMillis: Date.UTC(2026, 10, 21, 3, 4, 5) },
  });
  const body = JSON.stringify({ times, blob: { ...blob, bytes: [...bytes] } });
  const response = await miniflare.dispatchFetch('http://worker.test/', { method: 'POST', body });
  return (await response.json()) as Told;
}

/** The same bucket as a Worker sees it; Miniflare's own type for it needs packages that are not here. */
interface R2Bucket {
  list(): Promise<{ objects: { key: string }[] }>;
  get(key: string): Promise<{
    httpMetadata?: { contentType?: string; contentEncoding?: string };
    arrayBuffer(): Promise<ArrayBuffer>;
  } | null>;
}

async function traces(): Promise<R2Bucket> {
  return (await miniflare.getR2Bucket('TRACES')) as unknown as R2Bucket;
}

async function contentOf(key: string): Promise<string> {
  const object = await (await traces()).get(key);
  return String(gunzipSync((await object?.arrayBuffer()) ?? ''));
}

test('r2 in workerd: a blob that is sent four times at once is one object, and its bytes inflate', async () => {
  const { outcomes, requests } = await send(4, JSON_TEXT);
  assert.deepEqual(outcomes, Array(4).fill({ status: 'stored' }));
  assert.deepEqual(requests, { uploads: 4, uploadFailures: 0 });
  const bucket = await traces();
  const { objects } = await bucket.list();
  assert.deepEqual(
    objects.map(({ key }) => key),
    [KEY],
  );
  assert.deepEqual((await bucket.get(KEY))?.httpMetadata, { contentType: 'application/gzip' });
  assert.equal(await contentOf(KEY), JSON_TEXT);
});

test('r2 in workerd: what is there already stays as it is, and counts as stored', async () => {
  await send(1, JSON_TEXT);
  const { outcomes } = await send(1, '{"resourceSpans":["another"]}');
  assert.deepEqual(outcomes, [{ status: 'stored' }]);
  assert.equal(await contentOf(KEY), JSON_TEXT);
});

test('r2 in workerd: errors end with their code', async () => {
  const { thrown } = await send(0, JSON_TEXT);
  assert.equal(thrown, 'Error: put: The specified object name is not valid. (10020)');
  assert.equal(outcomeOfError(thrown).status, 'rejected');
});

test('r2 in workerd: a binding that is missing in the configuration is told at start', async () => {
  assert.match((await send(0, JSON_TEXT)).missing, /"r2_buckets" of wrangler's configuration, got undefined/);
});
