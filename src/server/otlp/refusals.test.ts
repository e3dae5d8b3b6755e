import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ENDPOINT, ORIGIN } from '../../testing/ingest-harness.js';
import { memoryStorage } from '../../testing/memory-storage.js';
import { encodeRequest } from '../../testing/otlp-decode.js';
import { OTLP_KEY, otlpHarness } from '../../testing/otlp-ingest.js';
import { spanOf, tracesOf } from '../../testing/otlp-requests.js';
import { createIngest } from '../ingest.js';
import type { IngestOptions } from '../ingest-options.js';
import { memoryQuota } from '../memory-quota.js';

const GOOD = tracesOf(spanOf(1));
const MIB = 1_048_576;
const gzip = (bytes: string | Uint8Array) => new Uint8Array(gzipSync(bytes));
const GZIPPED = { 'content-encoding': 'gzip' };

test('otlp: without a key of the operator nothing is read, whoever asks', async () => {
  for (const authorization of [
    null,
    '',
    OTLP_KEY,
    'Bearer',
    `Bearer ${OTLP_KEY}x`,
    `Bearer ${OTLP_KEY.slice(0, -1)}`,
    `Bearer ${OTLP_KEY.toUpperCase()}`,
    `Basic ${OTLP_KEY}`,
    'Bearer default',
    `Bearer ${'x'.repeat(100_000)}`,
  ]) {
    const harness = otlpHarness();
    let reads = 0;
    const body = new ReadableStream({ pull: () => void reads++ }, { highWaterMark: 0 });
    const { status, json, headers } = await harness.send(body, {
      headers: { authorization, origin: ORIGIN },
      duplex: 'half',
    });
    assert.deepEqual([status, json.code, reads], [401, 16, 0], String(authorization).slice(0, 40));
    assert.equal(headers.get('www-authenticate'), 'Bearer');
    assert.equal(headers.get('access-control-allow-origin'), null);
    assert.equal(harness.storage.objects.size, 0);
    assert.deepEqual([harness.logged[0]?.error, harness.logged[0]?.kind], ['bad_key', 'otlp']);
  }
});

test('otlp: a page cannot ask whether it may: no preflight passes, of an allowed origin either', async () => {
  const harness = otlpHarness();
  const { status, headers } = await harness.send(undefined, {
    method: 'OPTIONS',
    headers: { origin: ORIGIN, 'access-control-request-headers': 'authorization' },
  });
  assert.deepEqual([status, headers.get('allow')], [405, 'POST']);
  assert.deepEqual(
    [...headers.keys()].filter((name) => name.startsWith('access-control')),
    [],
  );
});

test('otlp: each key writes into its own project', async () => {
  const keys = [
    { key: 'key-of-one-0123456789', project: 'one' },
    { key: 'key-of-two-0123456789', project: 'two' },
    { key: 'next-of-two-0123456789', project: 'two' },
  ];
  const harness = otlpHarness({ projects: ['one', 'two'], otlp: { keys }, environment: 'staging' });
  for (const [n, { key }] of keys.entries()) {
    const headers = { authorization: `bearer  ${key}` };
    assert.equal((await harness.send(tracesOf(spanOf(n)), { headers })).status, 200);
  }
  assert.deepEqual(
    [...harness.storage.objects.keys()].map((key) => key.split('/').slice(2, 4)),
    [
      ['one', 'staging'],
      ['two', 'staging'],
      ['two', 'staging'],
    ],
  );
});

test('otlp: an endpoint without the option knows no such path, and pages are answered as ever', async () => {
  const options = { storage: memoryStorage(), allowedOrigins: [ORIGIN] };
  const ingest = createIngest(options);
  const request = (path: string) =>
    new Request(ENDPOINT + path, {
      method: 'POST',
      body: JSON.stringify(GOOD),
      headers: { authorization: `Bearer ${OTLP_KEY}`, 'content-type': 'application/json' },
    });
  assert.equal((await ingest(request('/v1/traces'))).status, 403);
  const taking = createIngest({ ...options, otlp: { keys: [OTLP_KEY] } });
  assert.equal((await taking(request(''))).status, 403);
  assert.equal((await taking(request('/v1/metrics'))).status, 404);
});

const HOSTILE: Record<string, [status: number, body: BodyInit, headers?: Record<string, string>]> = {
  'another type': [415, '{}', { 'content-type': 'text/plain' }],
  'no type': [415, new Uint8Array(2), { 'content-type': '' }],
  'another compression': [415, '{}', { 'content-encoding': 'br' }],
  'two compressions': [415, '{}', { 'content-encoding': 'gzip, gzip' }],
  'no JSON': [400, 'resourceSpans'],
  'JSON of half': [400, JSON.stringify(GOOD).slice(0, -1)],
  'not UTF-8': [400, Uint8Array.of(0x7b, 0xff, 0x7d)],
  'a list': [400, '[]'],
  null: [400, 'null'],
  'nested for ever': [400, `{"resourceSpans":${'['.repeat(50_000)}`],
  'brackets only': [400, `{"resourceSpans":[${'[],'.repeat(100_000)}0]}`],
  'protobuf as JSON': [400, encodeRequest(GOOD)],
  'JSON as protobuf': [400, JSON.stringify(GOOD), { 'content-type': 'application/x-protobuf' }],
  'protobuf cut off': [400, encodeRequest(GOOD).slice(0, -3), { 'content-type': 'application/x-protobuf' }],
  'gzip that is none': [400, JSON.stringify(GOOD), GZIPPED],
  'gzip cut off': [400, gzip(JSON.stringify(GOOD)).slice(0, -9), GZIPPED],
  'gzip of nothing': [400, gzip(''), GZIPPED],
  'gzip that is damaged': [400, gzip(JSON.stringify(GOOD)).fill(0, 20, 30), GZIPPED],
  'a bomb': [413, gzip(Buffer.alloc(100 * MIB)), GZIPPED],
  'a bomb below the ratio': [
    413,
    gzip(Buffer.alloc(5 * MIB, 'abcdefghijklmnopqrstuvwxyz0123456789')),
    GZIPPED,
  ],
  'too long': [413, new Uint8Array(4 * MIB + 1)],
  'a length of 1 GB': [413, 'x', { 'content-length': String(2 ** 30) }],
};

for (const [what, [status, body, headers = {}]] of Object.entries(HOSTILE)) {
  test(`otlp: ${what}: ${status}, and nothing is stored`, async () => {
    const harness = otlpHarness();
    const answered = await harness.send(body, { headers });
    assert.equal(answered.status, status);
    const type =
      headers['content-type'] === 'application/x-protobuf' ? headers['content-type'] : 'application/json';
    assert.equal(answered.headers.get('content-type'), type);
    assert.ok(answered.bytes.length > 10);
    assert.equal(harness.storage.objects.size, 0);
    assert.deepEqual(harness.errors, []);
  });
}

test('otlp: 1 GB is read no further than the limit', async () => {
  const harness = otlpHarness();
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (sent >= 2 ** 30) return controller.close();
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(0x20));
    },
  });
  const { status } = await harness.send(body, { duplex: 'half' });
  assert.equal(status, 413);
  assert.ok(sent <= 4 * MIB + 3 * 65_536, String(sent));
});

test('otlp: a body that does not come has the exporter come again', async () => {
  const harness = otlpHarness({ bodyTimeoutMillis: 100 });
  const body = new ReadableStream({ start: (controller) => controller.enqueue(Uint8Array.of(0x7b)) });
  const { status, json } = await harness.send(body, { duplex: 'half' });
  assert.deepEqual([status, json.code], [503, 14]);
});

test('otlp: rate limit and quota refuse with a time, before anything is inflated', async () => {
  const limited = otlpHarness({ rateLimit: () => ({ retryAfterSeconds: 7 }) });
  const first = await limited.send(GOOD);
  assert.deepEqual([first.status, first.json.code, first.headers.get('retry-after')], [429, 8, '7']);
  const kinds: string[] = [];
  const harness = otlpHarness({
    rateLimit: (_request, { kind, project }) => kinds.push(`${kind} ${project}`) > 0,
    quota: { store: memoryQuota(), perProject: { objects: 2 } },
  } as Partial<IngestOptions>);
  for (const [n, status] of [200, 200, 429].entries())
    assert.equal((await harness.send(tracesOf(spanOf(n)))).status, status);
  const { status, headers } = await harness.send(gzip('{'), { headers: GZIPPED });
  assert.equal(status, 429);
  assert.ok(Number(headers.get('retry-after')) > 3_000);
  assert.deepEqual([...new Set(kinds)], ['otlp default']);
  assert.equal(harness.logged.at(-1)?.quota, 'refused');
});

test('otlp: keys are checked once, and not shown', () => {
  const projects = { a: { name: 'shop' }, b: { name: 'api' } };
  const options = { storage: memoryStorage(), allowedOrigins: [] };
  const long = 'a key that nobody sees'.replaceAll(' ', '-');
  for (const [otlp, words, more] of [
    [true, /option "otlp" got true; it takes an object with keys/],
    [{}, /option "otlp.keys" got undefined; it takes an array of keys/],
    [{ keys: [] }, /option "otlp.keys" got an empty array/],
    [{ keys: ['short'] }, /"otlp.keys\[0\]" got a string of 5 characters; it takes 16 to 512 characters/],
    [{ keys: [long, `${long} ${long}`] }, /"otlp.keys\[1\]" got a string of 45 characters/],
    [{ keys: [undefined] }, /"otlp.keys\[0\]" got a value of type undefined/],
    [{ keys: [long] }, /"otlp.keys\[0\]" got no project; it takes \{ key, project \}/, { projects }],
    [{ keys: [{ key: long, project: 'a' }] }, /"otlp.keys\[0\].project" got "a"/, { projects }],
    [{ keys: [{ key: long, project: 'shop' }] }, /"otlp.keys\[0\].project" got "shop"/],
  ] as const) {
    const make = () => createIngest({ ...options, ...more, otlp } as never);
    assert.throws(make, words);
    assert.throws(make, (error: Error) => !error.message.includes(long));
  }
  createIngest({ ...options, projects, otlp: { keys: [{ key: long, project: 'api' }] } });
});
