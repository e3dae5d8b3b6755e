import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDiagnostics } from '../diagnostics/diagnostics.js';
import { handMadeUpload } from '../testing/blobs.js';
import { testPlatform } from '../testing/platform.js';
import { VERSION } from '../version.js';
import { type BucketFunctions, createEndpoint, functionsEndpoint, parse, usable } from './endpoint.js';

const URL = 'https://app.test/spandrel';
const MESSAGE = { want: 2, sizes: [700, 4_096], stored: [], confirm: [], renew: [], lost: {} };

function setUp(url: string = URL, project?: string) {
  const platform = testPlatform();
  return { platform, endpoint: createEndpoint(platform, url, project) };
}

test('endpoint: asks in JSON sent as text, which needs no preflight', async () => {
  const { platform, endpoint } = setUp(URL, 'shop');
  const asked = endpoint.exchange(MESSAGE);
  const [request] = platform.requests;
  const body = request?.init.body as Blob;
  assert.equal(request?.url, URL);
  assert.equal(request?.init.method, 'POST');
  assert.equal(request?.init.headers, undefined);
  assert.equal(body.type, 'text/plain');
  assert.deepEqual(JSON.parse(await body.text()), {
    v: 1,
    client: `spandrel/${VERSION}`,
    project: 'shop',
    ...MESSAGE,
  });
  const uploads = [handMadeUpload()];
  request?.answer({ status: 200, body: JSON.stringify({ v: 1, uploads, confirmed: [], config: {} }) });
  assert.deepEqual(await asked, {
    ...{ ok: true, uploads, confirmed: [], paused: false, rules: [], relay: false },
  });
});

test('endpoint: a token that no endpoint takes is left out, so that the rest is heard', async () => {
  const { platform, endpoint } = setUp();
  const tokens = ['x'.repeat(1_025), 'x'.repeat(1_024)];
  void endpoint.exchange({ ...MESSAGE, confirm: tokens, renew: tokens, sizes: [1, 2, 3, 4] });
  const said = platform.requests[0]?.init.body as Blob;
  const { confirm, renew, sizes } = JSON.parse(await said.text());
  assert.deepEqual([confirm, renew], [tokens.slice(1), tokens.slice(1)]);
  assert.deepEqual(sizes, [2, 3, 4], 'the lengths of those that are left');
});

test('endpoint: holds its bytes of the keepalive budget until the answer', async () => {
  const { platform, endpoint } = setUp();
  const free = platform.keepalive.freeBytes;
  const asked = endpoint.exchange(MESSAGE);
  assert.equal(platform.requests[0]?.init.keepalive, true);
  assert.ok(platform.keepalive.freeBytes < free);
  platform.requests[0]?.answer({ status: 500 });
  await asked;
  assert.equal(platform.keepalive.freeBytes, free);
  platform.keepalive.reserve(free);
  void endpoint.exchange(MESSAGE);
  assert.equal(platform.requests[1]?.init.keepalive, false);
});

for (const [status, body, expected] of [
  [200, 'not JSON', { cause: 'HTTP 200', refused: false, malformed: false }],
  [200, 'null', { cause: 'HTTP 200', refused: false, malformed: false }],
  [200, '{"v":2,"uploads":[]}', { cause: 'HTTP 200', refused: false, malformed: false }],
  [201, '{"v":1,"uploads":[]}', { cause: 'HTTP 201', refused: false, malformed: false }],
  [400, '', { cause: 'HTTP 400', refused: false, malformed: true }],
  [413, '', { cause: 'HTTP 413', refused: false, malformed: true }],
  [401, '', { cause: 'HTTP 401', refused: true, malformed: false }],
  [403, '', { cause: 'HTTP 403', refused: true, malformed: false }],
  [0, 'TypeError: x', { cause: 'TypeError: x', refused: false, malformed: false }],
] as const) {
  test(`endpoint: ${status} ${body} is a failure with its cause`, async () => {
    const { platform, endpoint } = setUp();
    const asked = endpoint.exchange(MESSAGE);
    platform.requests[0]?.answer({ status, body, retryAfterMillis: 5 });
    assert.deepEqual(await asked, { ok: false, retryAfterMillis: 5, ...expected });
  });
}

test('endpoint: a beacon’s bytes count for five seconds; without room there is none', async () => {
  const { platform, endpoint } = setUp();
  const free = platform.keepalive.freeBytes;
  assert.equal(endpoint.tell?.(MESSAGE), true);
  assert.ok(platform.keepalive.freeBytes < free);
  await platform.advance(5_000);
  assert.equal(platform.keepalive.freeBytes, free);
  platform.keepalive.reserve(free);
  assert.equal(endpoint.tell?.(MESSAGE), false);
  assert.equal(platform.beacons.length, 1);
});

for (const [url, project, token, expected] of [
  [URL, undefined, 'a&b=c', `${URL}?relay=a%26b%3Dc`],
  [URL, undefined, undefined, `${URL}?relay=&blob=id`],
  [`${URL}?x=1`, 'shop', 't', `${URL}?x=1&relay=t&project=shop`],
] as const) {
  test(`endpoint: the relay of ${token} at ${url} is ${expected}`, () => {
    assert.equal(setUp(url, project).endpoint.relayUrl?.(token, 'id'), expected);
  });
}

for (const [name, upload] of [
  ['null', null],
  ['text', 'upload'],
  ['another method', handMadeUpload({ method: 'DELETE' as never })],
  ['a javascript: URL', handMadeUpload({ url: 'javascript:alert(1)' })],
  ['a relative URL', handMadeUpload({ url: '/x' })],
  ['no key', handMadeUpload({ key: '' })],
  ['a token that is no text', handMadeUpload({ token: 7 as never })],
  ['no lifetime', handMadeUpload({ expiresInMs: 0 })],
  ['a lifetime that is none', handMadeUpload({ expiresInMs: Number.NaN })],
] as const) {
  test(`endpoint: an upload with ${name} is not used, the others are`, () => {
    const good = handMadeUpload();
    assert.deepEqual(usable([upload, good]), [good]);
  });
}

test('endpoint: uploads that are no list, or too many, are bounded', () => {
  assert.deepEqual(usable({ length: 3 }), []);
  assert.equal(usable(Array.from({ length: 1_000 }, () => handMadeUpload())).length, 100);
  assert.equal(parse('{'), undefined);
});

/** Functions in a world whose clock the test moves. */
function withFunctions(functions: BucketFunctions) {
  const platform = testPlatform();
  const diagnostics = createDiagnostics(platform.now, platform.after);
  return { platform, diagnostics, endpoint: functionsEndpoint(functions, { platform, diagnostics }) };
}

test('endpoint: the user’s functions hear of what is stored, and are asked only when something is wanted', async () => {
  const calls: unknown[] = [];
  const uploads = [handMadeUpload()];
  const { endpoint } = withFunctions({
    async requestUploads(request) {
      calls.push(request);
      return uploads;
    },
    async notify(receipts) {
      calls.push(receipts);
    },
  });
  const receipt = { key: 'k', token: 't', spanCount: 1, bytes: 1, traces: [] };
  const { heard, ...answer } = await endpoint.exchange({ ...MESSAGE, stored: [receipt] });
  assert.deepEqual(answer, { ok: true, uploads, confirmed: [], paused: false });
  assert.equal(await heard, true);
  assert.deepEqual(await endpoint.exchange({ ...MESSAGE, want: 0 }), {
    ...{ ok: true, uploads: [], confirmed: [], paused: false, heard: undefined },
  });
  assert.deepEqual(calls, [[receipt], { want: 2, renew: [], sizes: [700, 4_096] }]);
});

for (const [name, requestUploads] of [
  ['rejects', () => Promise.reject(new Error('planted'))],
  ['throws', () => assert.fail('planted')],
] as const) {
  test(`endpoint: a function of the user’s that ${name} is a failure`, async () => {
    const answer = await withFunctions({ requestUploads }).endpoint.exchange(MESSAGE);
    assert.equal(answer.ok, false);
    assert.match(answer.ok ? '' : answer.cause, /planted/);
  });
}

// F11 of the seed: whatever `notify` does, uploads are had at once.
for (const [name, notify] of [
  ['rejects', () => Promise.reject(new Error('planted'))],
  ['throws', () => assert.fail('planted')],
  ['never answers', () => new Promise<void>(() => {})],
  ['throws nothing', () => Promise.reject()],
] as const) {
  test(`endpoint: a notify that ${name} holds nothing up, and is counted`, async () => {
    const uploads = [handMadeUpload()];
    const world = withFunctions({ requestUploads: async () => uploads, notify });
    const receipt = { key: 'k', token: 't', spanCount: 1, bytes: 1, traces: [] };
    const answer = await world.endpoint.exchange({ ...MESSAGE, stored: [receipt] });
    assert.deepEqual(answer.ok && answer.uploads, uploads);
    await world.platform.advance(30_000);
    assert.equal(await answer.heard, false);
    const { requests } = world.diagnostics.totals;
    assert.deepEqual([requests.notifies, requests.notifyFailures, requests.exchangeFailures], [1, 1, 0]);
  });
}

test('endpoint: requestUploads that never answers is given up', async () => {
  const world = withFunctions({ requestUploads: () => new Promise(() => {}) });
  const asked = world.endpoint.exchange(MESSAGE);
  await world.platform.advance(30_000);
  assert.equal((await asked).ok, false);
});

test('endpoint: both functions are handed a fetch', async () => {
  const world = withFunctions({
    requestUploads: async (_, { fetch }) => (await fetch('https://app.test/uploads')).json(),
    async notify(receipts, { fetch }) {
      await fetch('https://app.test/notify', { method: 'POST', body: JSON.stringify(receipts) });
    },
  });
  const receipt = { key: 'k', token: 't', spanCount: 1, bytes: 1, traces: [] };
  const asked = world.endpoint.exchange({ ...MESSAGE, stored: [receipt] });
  for (const request of world.platform.requests) request.answer({ status: 200, body: '[]' });
  assert.equal(await (await asked).heard, true);
  assert.deepEqual(world.platform.requests.map(({ url }) => url).sort(), [
    'https://app.test/notify',
    'https://app.test/uploads',
  ]);
});
