/** The R2 storage in workerd, with a binding to Cloudflare's own local R2: its methods, and the endpoint over it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { Miniflare } from 'miniflare';
import { rollup } from 'rollup';

const CREDENTIALS = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key' };
const JSON_TEXT = '{"resourceSpans":[]}';
const GZIP = gzipSync(JSON_TEXT);

/** `/call` does one call of the storage; everything else is for the endpoint, which signs where asked to. */
const WORKER = `
import { createIngest } from './ingest.js';
import { r2 } from './r2.js';
import { s3 } from './s3.js';

const bytesOf = (value) => (value?.base64 ? Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0)) : value);
const answerOf = (value) =>
  value instanceof Uint8Array ? { base64: btoa(String.fromCharCode(...value)) } : value === undefined ? null : value;

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    const options = { timeoutMillis: 5_000, contentEncoding: pathname === '/encoded' };
    if (pathname === '/signing') options.presign = s3(env.S3);
    const storage = r2(env.TRACES, options);
    if (request.method === 'POST' && request.headers.has('call')) {
      const [method, ...args] = await request.json();
      try {
        // In here: a thousand requests from outside are more than a busy machine takes.
        if (method === 'putAll') {
          for (const key of args[0]) await storage.put(key, new Uint8Array(1));
          return Response.json({ value: null });
        }
        return Response.json({ value: answerOf(await storage[method](...args.map(bytesOf))) });
      } catch (error) {
        return Response.json({ name: error.name, message: error.message, tooLarge: error.tooLarge });
      }
    }
    return createIngest({
      storage,
      secret: 'a secret of at least thirty-two characters',
      allowedOrigins: ['https://shop.example'],
      maxUploadBytes: 65_536,
    })(request);
  },
};`;

let miniflare: Miniflare;
let origin: string;

before(async () => {
  const input = ['ingest', 'r2', 's3'].map((name) => fileURLToPath(new URL(`${name}.js`, import.meta.url)));
  const built = await rollup({ input, plugins: [nodeResolve()] });
  const { output } = await built.generate({ format: 'es', chunkFileNames: '[name].js' });
  await built.close();
  const modules = output.flatMap((chunk) =>
    chunk.type === 'chunk' ? [{ type: 'ESModule' as const, path: chunk.fileName, contents: chunk.code }] : [],
  );
  // The endpoint of the S3 API is Miniflare's own, whose port is known once it listens.
  const bound = { endpoint: 'http://127.0.0.1', bucket: 'traces', ...CREDENTIALS };
  miniflare = new Miniflare({
    cf: false,
    host: '127.0.0.1',
    compatibilityDate: '2026-04-01',
    modules: [{ type: 'ESModule', path: 'worker.js', contents: WORKER }, ...modules],
    r2Buckets: { TRACES: { id: 'traces', s3Credentials: CREDENTIALS } },
    bindings: { S3: bound },
  });
  origin = String(await miniflare.ready).replace(/\/$/, '');
});

after(() => miniflare.dispose());

interface Told {
  // biome-ignore lint/suspicious/noExplicitAny: what each method gives.
  value?: any;
  name?: string;
  message?: string;
  tooLarge?: boolean;
}

async function call(method: string, ...args: unknown[]): Promise<Told> {
  return callAt('', method, ...args);
}

async function callAt(path: string, method: string, ...args: unknown[]): Promise<Told> {
  const body = JSON.stringify([
    method,
    ...args.map((value) =>
      value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value,
    ),
  ]);
  const response = await fetch(`${origin}/${path}`, { method: 'POST', headers: { call: '1' }, body });
  return (await response.json()) as Told;
}

/** The same bucket as a Worker sees it; Miniflare's own type for it needs packages that are not here. */
interface Bucket {
  head(key: string): Promise<{ httpMetadata?: object } | null>;
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
}

const bucket = async (): Promise<Bucket> => (await miniflare.getR2Bucket('TRACES')) as unknown as Bucket;

test('r2 in workerd: put writes once, and get, head and delete find what is there', async () => {
  const key = 'a/b c+d&e=f/ü%41.json.gz';
  assert.equal((await call('head', key)).value, null);
  assert.equal((await call('get', key)).value, null);
  assert.equal((await call('put', key, GZIP)).value, 'created');
  assert.equal((await call('put', key, new Uint8Array(3))).value, 'exists');
  assert.equal((await call('get', key)).value.base64, GZIP.toString('base64'));
  const head = (await call('head', key)).value;
  assert.equal(head.size, GZIP.length);
  assert.match(head.etag, /^"[0-9a-f]{32}"$/);
  const { objects } = (await call('list', 'a/b c+d&e')).value;
  assert.equal(objects.length, 1);
  const { storedAtMillis, ...object } = objects[0];
  assert.deepEqual(object, { key, ...head });
  assert.ok(Math.abs(Date.now() - storedAtMillis) < 60_000);
  await call('delete', key);
  assert.deepEqual(await call('delete', key), { value: null });
  assert.equal((await call('head', key)).value, null);
});

test('r2 in workerd: of many puts at once for one key, one has created it', async () => {
  const puts = Array.from({ length: 8 }, (_, index) => call('put', 'race', new Uint8Array([index])));
  const outcomes = (await Promise.all(puts)).map(({ value }) => value);
  const [stored] = Buffer.from((await call('get', 'race')).value.base64, 'base64');
  assert.deepEqual(
    outcomes.flatMap((outcome, index) => (outcome === 'created' ? [index] : [])),
    [stored],
  );
});

test('r2 in workerd: get reads no more than it may', async () => {
  await call('put', 'large', new Uint8Array(100_000));
  const { name, tooLarge } = await call('get', 'large', { maxBytes: 99_999 });
  assert.deepEqual([name, tooLarge], ['StorageError', true]);
  assert.ok((await call('get', 'large', { maxBytes: 100_000 })).value);
});

test('r2 in workerd: type and encoding are kept', async () => {
  await call('put', 'type/gzip', GZIP);
  await call('put', 'type/json', GZIP, { contentType: 'application/json' });
  await callAt('encoded', 'put', 'type/encoded', GZIP);
  await callAt('encoded', 'put', 'type/state', GZIP, { contentType: 'application/json' });
  const metadataOf = async (key: string) => (await (await bucket()).head(key))?.httpMetadata;
  assert.deepEqual(await metadataOf('type/gzip'), { contentType: 'application/gzip' });
  assert.deepEqual(await metadataOf('type/json'), { contentType: 'application/json' });
  const encoded = { contentType: 'application/gzip', contentEncoding: 'gzip' };
  assert.deepEqual(await metadataOf('type/encoded'), encoded);
  assert.deepEqual(await metadataOf('type/state'), { contentType: 'application/json' });
  assert.equal((await call('get', 'type/encoded')).value.base64, GZIP.toString('base64'));
});

test('r2 in workerd: a listing of 1,001 goes on over pages, and begins after a key', async () => {
  const keys = Array.from({ length: 1001 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
  assert.deepEqual(await call('putAll', keys), { value: null });
  const first = (await call('list', 'many/')).value;
  const second = (await call('list', 'many/', { cursor: first.cursor })).value;
  const keysOf = (page: { objects: { key: string }[] }) => page.objects.map(({ key }) => key);
  assert.equal(first.objects.length, 1000);
  assert.deepEqual([...keysOf(first), ...keysOf(second)], keys);
  assert.equal(second.cursor, undefined);
  const rest = (await call('list', 'many/', { after: 'many/0998' })).value;
  assert.deepEqual(keysOf(rest), ['many/0999', 'many/1000']);
});

test('r2 in workerd: what R2 refuses is a StorageError with its code', async () => {
  const { name, message } = await call('put', 'x'.repeat(1_025), GZIP);
  assert.deepEqual([name, message], ['StorageError', 'the R2 binding answered put with error 10020']);
});

/** What the endpoint answers to an exchange. */
async function exchange(request: object, path = '') {
  const response = await fetch(`${origin}/${path}`, {
    method: 'POST',
    headers: { origin: 'https://shop.example' },
    body: JSON.stringify({ v: 1, want: 0, stored: [], confirm: [], renew: [], lost: {}, ...request }),
  });
  assert.equal(response.status, 200);
  return (await response.json()) as {
    relay?: true;
    uploads: { method: string; url: string; key: string; token: string; bytes?: number }[];
    confirmed: object[];
  };
}

test('r2 in workerd: an endpoint without credentials relays, and confirms what it has stored', async () => {
  const said = await exchange({ want: 4 });
  assert.deepEqual([said.uploads, said.relay], [[], true]);
  const milliseconds = Date.now().toString(16).padStart(12, '0');
  const blob = `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-7999-8999-999999999999`;
  const relay = async () => {
    const init = { method: 'POST', headers: { origin: 'https://shop.example' }, body: GZIP };
    const response = await fetch(`${origin}/?relay=&blob=${blob}`, init);
    return (await response.json()) as { key: string; token: string; created: boolean };
  };
  const { key, token, created } = await relay();
  assert.equal(created, true);
  assert.equal((await relay()).created, false);
  const stored = await (await (await bucket()).get(key))?.arrayBuffer();
  assert.equal(String(gunzipSync(stored ?? '')), JSON_TEXT);
  assert.deepEqual((await exchange({ confirm: [token] })).confirmed, [{ token, stored: true }]);
  await call('delete', key);
  assert.deepEqual((await exchange({ confirm: [token] })).confirmed, [{ token, stored: false }]);
});

test('r2 in workerd: an endpoint that is given an s3() has it sign, lengths included', async () => {
  const { uploads, relay } = await exchange({ want: 1, sizes: [1000] }, 'signing');
  assert.equal(relay, undefined);
  assert.equal(uploads[0]?.method, 'PUT');
  assert.equal(uploads[0]?.bytes, 1000);
  assert.match(
    uploads[0]?.url ?? '',
    /X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bif-none-match/,
  );
});
