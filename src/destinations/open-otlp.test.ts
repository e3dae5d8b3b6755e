import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { createDiagnostics } from '../diagnostics/diagnostics.js';
import { type OtlpOptions, otlp, protobuf } from '../otlp.js';
import { gzipNow } from '../pipeline/compress.js';
import type { Outcome, TraceBlob } from '../pipeline/model.js';
import { handMadeBlob } from '../testing/blobs.js';
import { settle, type TestRequest, testPlatform } from '../testing/platform.js';
import type { OpenDestination } from './destination.js';

const SMALL = '{"resourceSpans":[]}';
const LARGE = `{"resourceSpans":[]${' '.repeat(2_000)}}`;
const SPAN = {
  ...{ traceId: 'a1b2c3d4e5f60718293a4b5c6d7e8f90', spanId: '00f067aa0ba902b7', name: 'x'.repeat(2_000) },
  ...{ kind: 1, startTimeUnixNano: '1790000000000000005', endTimeUnixNano: '1790000000000000007' },
};
const SPANS = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [SPAN] }] }] });

const blobOf = (json = SMALL): TraceBlob => handMadeBlob({ ...gzipNow(json), spanCount: 3 });

function setUp(options: OtlpOptions = {}) {
  const platform = testPlatform();
  const diagnostics = createDiagnostics(platform.now, platform.after);
  const world = { platform, diagnostics };
  const destination = otlp({ url: 'https://c.test', ...options }).open({
    ...{ platform, diagnostics, page: '', clockOffset() {}, pause() {}, rules() {} },
    saved: () => assert.fail('there is nothing to save'),
  });
  return Object.assign(world, { destination });
}

/** Begins to send and goes on until nothing moves. */
async function begin(destination: OpenDestination, blob = blobOf()): Promise<{ outcome?: Outcome }> {
  const result: { outcome?: Outcome } = {};
  void destination.send(blob).then((outcome) => {
    result.outcome = outcome;
  });
  await settle();
  return result;
}

/** As a page sends that may be gone after this task. */
const leave = (destination: OpenDestination, blob = blobOf()): boolean | undefined =>
  destination.sendNow?.(blob, blob.bytes as Uint8Array<ArrayBuffer>);

function first({ pending }: { pending: readonly TestRequest[] }): TestRequest {
  const [request] = pending;
  assert.ok(request, 'no request has begun');
  return request;
}

const headersOf = ({ init }: TestRequest): Record<string, string> => init.headers as Record<string, string>;

function troubles({ diagnostics }: ReturnType<typeof setUp>): Record<string, number> {
  return Object.fromEntries(diagnostics.stats().errors.map(({ kind, count }) => [kind, count]));
}

test('open otlp: a large blob goes as it is, and its answer is the outcome', async () => {
  const world = setUp();
  const blob = blobOf(LARGE);
  const sent = await begin(world.destination, blob);
  const request = first(world.platform);
  assert.equal(request.url, 'https://c.test/v1/traces');
  assert.equal(request.timeoutMillis, 10_000);
  const { headers, body, ...init } = request.init;
  assert.deepEqual(headers, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
  assert.equal(body, blob.bytes);
  assert.deepEqual(init, {
    ...{ method: 'POST', credentials: 'same-origin', referrerPolicy: 'no-referrer', redirect: 'error' },
    keepalive: true,
  });
  request.answer({ status: 200, body: '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"old"}}' });
  await settle();
  assert.deepEqual(sent.outcome, { status: 'stored', rejected: { spanCount: 2, cause: 'old' } });
  const { requests } = world.diagnostics.totals;
  assert.deepEqual([requests.uploads, requests.uploadFailures], [1, 0]);
});

test('open otlp: gzip begins at 1,024 bytes', async () => {
  for (const [length, encoding] of [
    [1_023, undefined],
    [1_024, 'gzip'],
  ] as const) {
    const { platform, destination } = setUp();
    const json = SMALL.padEnd(length);
    await begin(destination, blobOf(json));
    const { headers, body } = first(platform).init;
    assert.equal((headers as Record<string, string>)['content-encoding'], encoding);
    const bytes = Buffer.from(body as Uint8Array);
    assert.equal(String(encoding ? gunzipSync(bytes) : bytes), json);
  }
});

test('open otlp: the user’s headers win whatever their case, but for those that tell of the body', async () => {
  const { platform, destination } = setUp({
    headers: {
      ...{ 'CONTENT-type': 'application/json; charset=utf-8', Authorization: 'Bearer t', 'X-A': '' },
      ...{ 'Content-Encoding': 'br', 'content-length': '5', 'Transfer-Encoding': 'chunked' },
    },
  });
  await begin(destination);
  assert.deepEqual(first(platform).init.headers, {
    ...{ 'content-type': 'application/json; charset=utf-8', authorization: 'Bearer t', 'x-a': '' },
  });
});

test('open otlp: headers are read at each export, also asynchronously', async () => {
  let calls = 0;
  const { platform, destination } = setUp({ headers: async () => ({ call: String(++calls) }) });
  for (const call of ['1', '2']) {
    await begin(destination);
    const request = first(platform);
    assert.equal(headersOf(request)['call'], call);
    request.answer({ status: 200, body: '{}' });
    await settle();
  }
});

for (const [name, headers, isAsync = false] of [
  [
    'throws',
    () => {
      throw new Error('no token');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no token')), true],
  ['gives nothing', () => undefined],
  ['gives undefined as a value', async () => ({ authorization: undefined }), true],
  ['gives no header', () => ({ 'no name': 'x' })],
] as const) {
  test(`open otlp: a headers function that ${name} is retryable trouble`, async () => {
    const world = setUp({ headers: headers as never });
    assert.equal((await world.destination.send(blobOf())).status, 'retryable');
    assert.deepEqual(troubles(world), { 'otlp-headers': 1 });
    assert.equal(world.platform.requests.length, 0);
  });

  test(`open otlp: a headers function that ${name} lets nothing leave with the page`, async () => {
    const world = setUp({ headers: headers as never });
    assert.equal(leave(world.destination), false);
    await settle();
    assert.deepEqual(troubles(world), isAsync ? {} : { 'otlp-headers': 1 });
    assert.equal(world.platform.requests.length, 0);
  });
}

test('open otlp: a headers function that never answers is given up after the timeout', async () => {
  const world = setUp({ headers: () => new Promise(() => {}), timeoutMillis: 500 });
  const sent = await begin(world.destination);
  await world.platform.advance(499);
  assert.equal(sent.outcome, undefined);
  await world.platform.advance(1);
  assert.deepEqual(sent.outcome, { status: 'retryable', cause: 'headers: Error: no answer in 500 ms' });
});

test('open otlp: a blob that begins asks an asynchronous function once, for a page that leaves with it', async () => {
  let calls = 0;
  const { platform, destination } = setUp({
    async headers() {
      calls++;
      return { authorization: 'early' };
    },
  });
  assert.equal(destination.hold?.(), undefined);
  destination.hold?.();
  await settle();
  destination.hold?.();
  assert.equal(calls, 1);
  assert.equal(leave(destination), true);
  assert.equal(headersOf(first(platform))['authorization'], 'early');
});

test('open otlp: asking ahead that fails is asked again, and is nobody’s unhandled rejection', async () => {
  let calls = 0;
  const world = setUp({ headers: () => Promise.reject(new Error(`no token ${++calls}`)) });
  world.destination.hold?.();
  await settle();
  world.destination.hold?.();
  await settle();
  assert.equal(calls, 2);
  assert.deepEqual(troubles(world), {});
});

test('open otlp: a leaving page asks a function that answers at once, and uses the latest of one that does not', () => {
  const now = setUp({ headers: () => ({ token: 'now' }) });
  assert.equal(leave(now.destination), true);
  assert.equal(headersOf(first(now.platform))['token'], 'now');
  const later = setUp({ headers: async () => ({ token: 'later' }) });
  assert.equal(leave(later.destination), false);
  assert.equal(later.platform.requests.length, 0);
});

for (const format of ['json', protobuf(ProtobufTraceSerializer)] as const) {
  const name = format === 'json' ? 'json' : 'protobuf';

  test(`open otlp: ${name}: a leaving page has begun its requests, within the keepalive budget, and hears of them if it stays`, async () => {
    const { platform, destination } = setUp({ format });
    const free = platform.keepalive.freeBytes;
    const blob = blobOf(SPANS);
    assert.equal(leave(destination, blob), true);
    const request = first(platform);
    const size = (request.init.body as Uint8Array).length;
    assert.equal(request.init.keepalive, true);
    assert.equal(platform.keepalive.freeBytes, free - size);
    request.answer({ status: 200, body: '{}' });
    await settle();
    assert.equal(platform.keepalive.freeBytes, free);
    assert.deepEqual(await destination.send(blob), { status: 'stored' });
    assert.equal(platform.requests.length, 1);
  });

  test(`open otlp: ${name}: text that nothing has compressed yet goes out with the page`, () => {
    const { platform, destination } = setUp({ format });
    const blob = handMadeBlob({ bytes: undefined, rawBytes: 0, spanCount: 1 });
    assert.equal(destination.sendNow?.(blob, new TextEncoder().encode(SPANS)), true);
    const { body, headers } = first(platform).init;
    const isGzip = (headers as Record<string, string>)['content-encoding'] === 'gzip';
    const sent = Buffer.from(isGzip ? gunzipSync(body as Uint8Array) : (body as Uint8Array));
    if (format === 'json') assert.equal(String(sent), SPANS);
    else assert.ok(sent.includes(SPAN.name));
  });

  test(`open otlp: ${name}: what does not fit does not go, and no byte stays reserved`, () => {
    for (const left of [0, 30]) {
      const { platform, destination } = setUp({ format });
      platform.keepalive.reserve(platform.keepalive.freeBytes - left);
      assert.equal(leave(destination, blobOf(SPANS)), false);
      assert.equal(platform.requests.length, 0);
      assert.equal(platform.keepalive.freeBytes, left);
    }
  });
}

test('open otlp: where there is no room at all, nobody is asked for headers', async () => {
  const { platform, destination } = setUp({ headers: () => assert.fail('asked') });
  platform.keepalive.reserve(platform.keepalive.freeBytes);
  assert.equal(leave(destination), false);
});

test('open otlp: a request that outlives the page is not sent twice', async () => {
  const { platform, destination } = setUp();
  const blob = blobOf();
  const sent = await begin(destination, blob);
  assert.equal(leave(destination, blob), true);
  assert.equal(platform.requests.length, 1);
  first(platform).answer({ status: 503 });
  await settle();
  assert.equal(sent.outcome?.status, 'retryable');
  await begin(destination, blob);
  assert.equal(platform.requests.length, 2, 'the next attempt is one');
});

test('open otlp: what failed as the page left is sent again by one that stayed', async () => {
  const { platform, destination } = setUp();
  const blob = blobOf();
  leave(destination, blob);
  first(platform).answer({ status: 0 });
  assert.equal((await destination.send(blob)).status, 'retryable');
  await begin(destination, blob);
  assert.equal(platform.requests.length, 2);
});

test('open otlp: what goes out with the page while it waits for headers is not sent again after', async () => {
  let calls = 0;
  let answer = (_headers: Record<string, string>): void => {};
  const { platform, destination } = setUp({
    headers: () =>
      calls++
        ? {}
        : new Promise((resolve) => {
            answer = resolve;
          }),
  });
  const blob = blobOf();
  const waiting = await begin(destination, blob);
  leave(destination, blob);
  assert.equal(platform.pending.length, 1);
  answer({});
  await settle();
  first(platform).answer({ status: 200, body: '{}' });
  await settle();
  assert.deepEqual(waiting.outcome, { status: 'stored' });
  assert.equal(platform.requests.length, 1);
});

test('open otlp: a request without room in the budget goes without keepalive, and is sent again as the page leaves', async () => {
  const { platform, destination } = setUp();
  const blob = blobOf();
  const release = platform.keepalive.reserve(platform.keepalive.freeBytes);
  await begin(destination, blob);
  assert.equal(first(platform).init.keepalive, false);
  release?.();
  assert.equal(leave(destination, blob), true);
  assert.equal(platform.pending[1]?.init.keepalive, true);
});

test('open otlp: protobuf while the page lives: in steps, between which it may do other work', async () => {
  const { platform, destination } = setUp({ format: protobuf(ProtobufTraceSerializer) });
  const sent = await begin(destination, blobOf(SPANS));
  assert.equal(platform.yields, 3);
  const { headers, body } = first(platform).init;
  assert.deepEqual(headers, { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' });
  assert.ok(gunzipSync(body as Uint8Array).includes(SPAN.name));
  first(platform).answer({
    status: 200,
    body: '',
    contentType: 'application/x-protobuf',
    bytes: Uint8Array.of(0x0a, 2, 0x08, 1),
  });
  await settle();
  assert.equal((sent.outcome as { rejected?: { spanCount: number } }).rejected?.spanCount, 1);
});

test('open otlp: a blob that cannot be read is rejected for ever, and does not leave with the page', async () => {
  for (const [format, blob] of [
    ['json', handMadeBlob({ bytes: Uint8Array.of(0x1f, 2, 3) })],
    [protobuf(ProtobufTraceSerializer), blobOf('null')],
  ] as const) {
    const { destination, platform } = setUp({ format });
    assert.equal(leave(destination, blob), false);
    const outcome = await destination.send(blob);
    assert.equal(outcome.status === 'rejected' && outcome.reason, 'unencodable');
    assert.equal(platform.requests.length, 0);
  }
});

test('open otlp: failures and warnings are counted', async () => {
  const world = setUp();
  for (const answer of [{ status: 500 }, { status: 429, retryAfterMillis: 5_000 }, { status: 0 }]) {
    await begin(world.destination);
    first(world.platform).answer(answer);
    await settle();
  }
  assert.equal(world.diagnostics.totals.requests.uploadFailures, 3);
  await begin(world.destination);
  first(world.platform).answer({ status: 200, body: '{"partialSuccess":{"errorMessage":"slow down"}}' });
  await settle();
  assert.deepEqual(troubles(world), { 'otlp-warning': 1 });
});

test('open otlp: close ends what it waits for', async () => {
  const { platform, destination } = setUp({ headers: () => new Promise(() => {}) });
  const sent = await begin(destination);
  destination.close();
  await settle();
  assert.equal(sent.outcome?.status, 'retryable');
  assert.equal(platform.loose.timers, 0);
});
