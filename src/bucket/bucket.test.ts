/** What a bucket and its endpoint may answer, and what becomes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { assertLedger, type TestClient, testClient } from '../testing/client.js';
import { type Fate, isExchange, isRelay, isUpload } from '../testing/cloud.js';
import { settle, type TestRequest, until } from '../testing/platform.js';
import { VERSION } from '../version.js';

type Options = Parameters<typeof testClient>[0];

/** Answers the endpoint's questions; uploads and relays are the test's. */
function endpointUp({ platform, cloud }: TestClient): void {
  platform.onRequest = (request) => void (isExchange(request) && cloud.answer(request));
  for (const request of platform.pending.filter(isExchange)) void cloud.answer(request);
}

async function answerNext(
  { platform, cloud }: TestClient,
  which: (request: { url: string }) => boolean,
  fate?: Fate,
): Promise<TestRequest> {
  await until(() => platform.pending.some(which));
  const request = platform.pending.find(which) as TestRequest;
  await cloud.answer(request, fate);
  await settle();
  return request;
}

/** A client whose first blob has been under way since a moment. */
async function sending(options: Options = {}): Promise<TestClient> {
  const client = testClient({ scheduledDelayMillis: 0, ...options });
  endpointUp(client);
  client.endTrace();
  await client.platform.advance(1_000);
  await until(() => client.platform.pending.some(isUpload));
  return client;
}

test('bucket: the endpoint is asked in JSON sent as text, which needs no preflight', async () => {
  const client = testClient({ project: 'shop', scheduledDelayMillis: 0 });
  client.endTrace();
  await client.platform.advance(1_000);
  const [request] = client.platform.requests;
  const body = request?.init.body as Blob;
  assert.equal(request?.init.method, 'POST');
  assert.equal(request?.init.headers, undefined);
  assert.equal(body.type, 'text/plain');
  const { v, client: name, project, wants, stored, lost, page } = JSON.parse(await body.text());
  assert.deepEqual([v, name, project], [2, `spandrel/${VERSION}`, 'shop']);
  assert.deepEqual([wants.length, stored, lost, page.created], [1, [], {}, 1]);
});

test('bucket: an upload is exactly what the server named, without credentials', async () => {
  const { platform, cloud } = await sending();
  const { body, ...init } = platform.pending.find(isUpload)?.init ?? {};
  assert.deepEqual(init, {
    method: 'PUT',
    headers: { 'if-none-match': '*' },
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    redirect: 'error',
    keepalive: false,
  });
  assert.equal(JSON.parse(gunzipSync(body as Uint8Array).toString()).resourceSpans.length, 1);
  assert.equal(cloud.objects.size, 0);
});

test('bucket: a POST policy becomes a form with the fields first and the file last', async () => {
  const client = testClient({ scheduledDelayMillis: 0 });
  client.cloud.method = 'POST';
  client.cloud.serve();
  client.endTrace();
  await client.platform.advance(1_000);
  const form = client.platform.requests.find(isUpload)?.init.body as FormData;
  assert.deepEqual([...form.keys()], ['key', 'file']);
  await until(() => client.processor.stats().spans.stored === 1);
});

for (const [fate, becomes] of [
  ['done', 'stored'],
  ['nonsense', 'stored'],
  ['lost-before', 'waiting'],
  ['lost-after', 'waiting'],
  ['overloaded', 'waiting'],
  ['patience', 'waiting'],
  ['forbidden', 'waiting'],
  ['missing', 'waiting'],
  ['refused', 'rejected'],
] as const) {
  test(`bucket: an upload that is ${fate} is ${becomes}, and stored once in the end unless rejected`, async () => {
    const client = await sending();
    await answerNext(client, isUpload, fate);
    const { spans } = client.processor.stats();
    assert.deepEqual(
      { stored: spans.stored, waiting: spans.waiting, rejected: spans.dropped.rejected ?? 0 },
      { stored: 0, waiting: 0, rejected: 0, [becomes]: 1 },
    );
    client.cloud.serve();
    await client.platform.advance(600_000);
    assert.equal(client.cloud.objects.size, becomes === 'rejected' ? 0 : 1);
    assertLedger(client.processor.stats(), 1);
    for (const keys of client.cloud.keysOf.values()) assert.equal(keys.size, 1);
  });
}

for (const [status, body, becomes] of [
  [200, '', 'stored'],
  [204, '', 'stored'],
  [412, '', 'stored'],
  [409, '<Code>BlobAlreadyExists</Code>', 'stored'],
  [409, '<Code>ConditionalRequestConflict</Code>', 'waiting'],
  [400, '<Code>RequestTimeout</Code>', 'waiting'],
  [400, '<Code>IncompleteBody</Code>', 'waiting'],
  [400, '<Code>ExpiredToken</Code>', 'waiting'],
  [400, '<Code>EntityTooLarge</Code>', 'rejected'],
  [401, '', 'waiting'],
  [408, '', 'waiting'],
  [411, '', 'rejected'],
  [429, '', 'waiting'],
  [500, '', 'waiting'],
  [502, '<html>', 'waiting'],
  [503, '<Code>SlowDown</Code>', 'waiting'],
] as const) {
  test(`bucket: ${status} ${body} means ${becomes}`, async () => {
    const client = await sending();
    client.platform.pending.find(isUpload)?.answer({ status, body });
    await settle();
    const { stored, waiting, dropped } = client.processor.stats().spans;
    const found = { stored, waiting, rejected: dropped.rejected ?? 0 };
    assert.deepEqual(found, { stored: 0, waiting: 0, rejected: 0, [becomes]: 1 });
  });
}

test('bucket: a refused permission is asked for anew, for the same object, once; then it waits a minute', async () => {
  const client = await sending();
  const first = await answerNext(client, isUpload, 'forbidden');
  const second = await answerNext(client, isUpload, 'forbidden');
  assert.notEqual(second.url, first.url);
  assert.equal(new URL(second.url).pathname, new URL(first.url).pathname);
  await client.platform.advance(59_000);
  assert.equal(client.platform.pending.filter(isUpload).length, 0);
  await client.platform.advance(3_000);
  await answerNext(client, isUpload);
  assert.equal(client.processor.stats().spans.stored, 1);
});

test('bucket: an upload whose answer was lost is asked about before it is sent again', async () => {
  const client = await sending();
  await answerNext(client, isUpload, 'lost-after');
  client.cloud.expiresInMs = 1;
  await client.platform.advance(5_000);
  assert.deepEqual(
    client.cloud.exchanges.at(-1)?.wants.map(({ again }) => again),
    [true],
  );
  assert.equal(client.platform.requests.filter(isUpload).length, 1);
  assert.equal(client.processor.stats().spans.stored, 1);
});

test('bucket: permissions that live too short for use are not asked for in a loop', async () => {
  const client = testClient({ scheduledDelayMillis: 0 });
  const { platform, cloud } = client;
  cloud.expiresInMs = 1_000;
  platform.onRequest = (request) => {
    platform.jump(1_001);
    if (platform.requests.length < 100) void cloud.answer(request);
  };
  client.endTrace();
  await platform.advance(3_000);
  assert.ok(platform.requests.length < 15, `${platform.requests.length} requests`);
});

test('bucket: after two opaque failures the relay is used, for five minutes, and nothing goes by two names', async () => {
  const client = await sending();
  const { platform, cloud, processor } = client;
  await answerNext(client, isUpload, 'lost-before');
  await platform.advance(2_000);
  await answerNext(client, isUpload, 'lost-before');
  assert.ok(processor.stats().errors.some(({ kind }) => kind === 'bucket-blocked'));
  await platform.advance(10_000);
  await answerNext(client, isRelay);
  client.endTrace();
  await platform.advance(1_000);
  await answerNext(client, isRelay, 'lost-after');
  // Over the five minutes of avoiding the bucket, and then some.
  for (let round = 0; round < 40; round++) {
    await platform.advance(10_000);
    const again = platform.pending.find(isRelay);
    if (again) await cloud.answer(again, 'overloaded');
  }
  assert.ok(platform.requests.filter(isUpload).length >= 2);
  cloud.serve();
  await platform.advance(600_000);
  assert.equal(processor.stats().spans.stored, 2);
  for (const keys of cloud.keysOf.values()) assert.equal(keys.size, 1, [...keys].join(' and '));
});

test('bucket: a relay that refuses leaves the way to the bucket open', async () => {
  const client = await sending();
  const { platform, processor } = client;
  await answerNext(client, isUpload, 'lost-before');
  await platform.advance(2_000);
  await answerNext(client, isUpload, 'lost-before');
  client.endTrace();
  for (let round = 0; round < 40; round++) {
    await platform.advance(10_000);
    platform.pending.find(isRelay)?.answer({ status: 404 });
  }
  client.cloud.serve();
  await platform.advance(600_000);
  assert.equal(processor.stats().spans.stored, 2);
  assert.ok(platform.requests.filter(isUpload).length >= 3);
});

test('bucket: a page that was offline goes straight to the bucket again', async () => {
  const client = await sending();
  const { platform } = client;
  await answerNext(client, isUpload, 'lost-before');
  await platform.advance(2_000);
  await answerNext(client, isUpload, 'lost-before');
  await platform.advance(10_000);
  await answerNext(client, isRelay, 'lost-before');
  await platform.advance(10_000);
  await until(() => platform.pending.some(isUpload));
  assert.ok(!platform.pending.some(isRelay));
});

test('bucket: the kill switch drops what waits and ends the asking', async () => {
  const client = testClient({ scheduledDelayMillis: 0 });
  client.cloud.paused = true;
  client.cloud.serve();
  client.endTrace();
  await client.platform.advance(1_000);
  assert.deepEqual(client.processor.stats().spans.dropped, { paused: 1 });
  assert.equal(client.processor.stats().state, 'paused');
  const { length } = client.platform.requests;
  client.endTrace();
  await client.platform.advance(3_600_000);
  assert.deepEqual(client.processor.stats().spans.dropped, { paused: 2 });
  assert.ok(client.platform.requests.length <= length + 2, 'the endpoint is still asked');
});

const CLEAN = '{"v":2,"now":0,"uploads":[],"config":{}}';
for (const [status, body] of [
  [200, 'not JSON'],
  [200, 'null'],
  [200, '[]'],
  [200, '{"v":1,"uploads":[]}'],
  [200, '<html>Sign in'],
  [201, CLEAN],
  [302, ''],
  [404, ''],
  [500, ''],
  [0, 'TypeError: Failed to fetch'],
] as const) {
  test(`bucket: ${status} ${body} of the endpoint is a failure with a cause, which is tried again`, async () => {
    const client = testClient({ scheduledDelayMillis: 0 });
    client.platform.onRequest = (request) => request.answer({ status, body });
    client.endTrace();
    await client.platform.advance(60_000);
    const { requests, errors, exceptions, spans } = client.processor.stats();
    assert.ok(
      requests.exchangeFailures > 1 && requests.exchangeFailures < 40,
      `${requests.exchangeFailures}`,
    );
    assert.equal(errors.find(({ kind }) => kind === 'endpoint')?.message, status ? `HTTP ${status}` : body);
    assert.deepEqual([exceptions, spans.waiting], [0, 1]);
    client.cloud.serve();
    await client.platform.advance(600_000);
    assert.equal(client.processor.stats().spans.stored, 1);
  });
}

for (const status of [401, 403]) {
  test(`bucket: an endpoint that says ${status} is left alone for a minute`, async () => {
    const client = testClient({ scheduledDelayMillis: 0 });
    client.platform.onRequest = (request) => request.answer({ status });
    client.endTrace();
    await client.platform.advance(60_000);
    assert.equal(client.platform.requests.length, 1);
    client.endTrace();
    await client.platform.advance(5_000);
    assert.ok(client.platform.requests.length <= 2);
  });
}

test('bucket: the endpoint’s patience holds everything, our own ends when the network returns', async () => {
  const client = testClient({ scheduledDelayMillis: 0 });
  const { platform } = client;
  client.endTrace();
  await platform.advance(1_000);
  platform.pending[0]?.answer({ status: 503 });
  await settle();
  platform.online();
  await settle();
  assert.equal(platform.requests.length, 2);
  platform.pending[0]?.answer({ status: 503, retryAfterMillis: 60_000 });
  await settle();
  platform.online();
  client.endTrace();
  await platform.advance(59_000);
  assert.equal(platform.requests.length, 2);
  await platform.advance(5_000);
  assert.ok(platform.requests.length > 2);
});

test('bucket: receipts that the endpoint cannot read are not said again, and those that it could not pass on are', async () => {
  for (const [retells, expected] of [
    [true, 1],
    [false, 0],
  ] as const) {
    const client = testClient({ served: true, scheduledDelayMillis: 0 });
    const { platform, cloud } = client;
    client.endTrace();
    await platform.advance(2_000);
    await until(() => client.processor.stats().spans.stored === 1);
    if (retells) cloud.retells = true;
    else
      platform.onRequest = (request) =>
        isExchange(request) ? request.answer({ status: 413 }) : void cloud.answer(request);
    await platform.advance(130_000);
    cloud.retells = false;
    cloud.serve();
    await platform.advance(130_000);
    await client.processor.forceFlush();
    assert.equal(cloud.receipts.length, expected);
  }
});

test('bucket: losses are told once, whichever way they go, and again if the message was lost', async () => {
  const client = testClient({ scheduledDelayMillis: 0, redact: ({ name }) => name === 'root' });
  const { platform, cloud } = client;
  client.endTrace(4);
  await platform.advance(1_000);
  const [asked] = platform.pending;
  platform.onBeacon = (beacon) => void (isExchange(beacon) && cloud.arrive(beacon));
  client.endTrace(3);
  platform.page('hidden');
  await cloud.answer(asked as TestRequest);
  await settle();
  assert.deepEqual(cloud.lost, { redacted: 5 });
  client.endTrace(2);
  await platform.advance(1_000);
  for (const request of platform.pending.filter(isExchange)) request.answer({ status: 503 });
  cloud.serve();
  await platform.advance(120_000);
  assert.deepEqual(cloud.lost, { redacted: 6 });
});

test('bucket: no message is longer than the endpoint takes, and in the end all is said', async () => {
  const client = testClient({ served: true, scheduledDelayMillis: 0 });
  const { platform, cloud, startSpan } = client;
  let longest = 0;
  for (let blob = 1; blob <= 30; blob++) {
    for (let trace = 0; trace < 40; trace++) startSpan(`${'ö'.repeat(200)} ${blob}`).end();
    await platform.advance(1_000);
    await until(() => client.processor.stats().blobs.waiting === 0);
  }
  await client.processor.forceFlush();
  for (const { init } of platform.requests.filter(isExchange)) {
    longest = Math.max(longest, (init.body as Blob).size);
  }
  assert.ok(longest <= 65_536, `${longest} bytes`);
  assert.equal(cloud.receipts.length, client.processor.stats().blobs.stored);
});

test('bucket: what is stored is told a minute later, or with what is asked for before that', async () => {
  const client = testClient({ served: true, scheduledDelayMillis: 0 });
  const { platform, cloud } = client;
  client.endTrace();
  await platform.advance(2_000);
  await platform.advance(50_000);
  assert.equal(cloud.receipts.length, 0);
  client.endTrace();
  await platform.advance(1_000);
  assert.equal(cloud.receipts.length, 1);
  await platform.advance(62_000);
  assert.equal(cloud.receipts.length, 2);
  assert.equal(cloud.exchanges.length, 3);
});

const UPLOAD = { method: 'PUT', url: 'https://bucket.test/x', headers: {}, expiresInMs: 900_000 };
for (const [name, upload] of [
  ['null', null],
  ['text', 'upload'],
  ['another method', { ...UPLOAD, method: 'DELETE' }],
  ['a javascript: URL', { ...UPLOAD, url: 'javascript:alert(1)' }],
  ['a relative URL', { ...UPLOAD, url: '/x' }],
  ['no headers', { ...UPLOAD, headers: undefined }],
  ['headers that are null', { ...UPLOAD, headers: null }],
  ['no lifetime', { ...UPLOAD, expiresInMs: 0 }],
  ['a lifetime that is none', { ...UPLOAD, expiresInMs: '1' }],
  ['a length that is none', { ...UPLOAD, bytes: '4096' }],
  ['no id', { ...UPLOAD, id: undefined }],
  ['an error of its own', { error: { code: 'rate_limited' } }],
] as const) {
  test(`bucket: an upload that is ${name} is not used, and what waits is stored once the server is mended`, async () => {
    const client = testClient({ scheduledDelayMillis: 0, relay: 'never' });
    const { platform, cloud } = client;
    platform.onRequest = async (request) => {
      const [want] = JSON.parse(await (request.init.body as Blob).text()).wants;
      const uploads = [typeof upload === 'object' && upload ? { id: want?.id, ...upload } : upload];
      request.answer({ status: 200, body: JSON.stringify({ v: 2, uploads, config: {} }) });
    };
    client.endTrace();
    await platform.advance(120_000);
    assert.equal(platform.requests.filter(isExchange).length, platform.requests.length);
    assert.ok(platform.requests.length < 40, `${platform.requests.length} requests in two minutes`);
    assert.equal(client.processor.stats().spans.waiting, 1);
    cloud.serve();
    await platform.advance(600_000);
    assert.equal(client.processor.stats().spans.stored, 1);
    assertLedger(client.processor.stats(), 1);
  });
}
