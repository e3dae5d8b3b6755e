import assert from 'node:assert/strict';
import type { lookup as lookUp } from 'node:dns';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { memoryStorage, storageDown } from '../../testing/memory-storage.js';
import { type Ask, createAsk, type HttpAnswer, type HttpError } from '../http.js';
import { diagnose } from './doctor.js';

const ENDPOINT = new URL('https://traces.example/spandrel');
const ORIGIN = 'https://shop.example';
const UPLOAD = {
  method: 'PUT',
  url: 'https://store.example/bucket/a?X-Amz-SignedHeaders=host&X-Amz-Date=20200101T000000Z&X-Amz-Expires=604800',
  headers: { 'content-type': 'application/gzip' },
  id: '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f',
  expiresInMs: 900_000,
};

/** A world in which the endpoint answers exchanges with this, and all else with 404. */
function world(answer: object): { ask: Ask; asked: string[] } {
  const asked: string[] = [];
  const ask: Ask = async (url, { method = 'GET' } = {}): Promise<HttpAnswer> => {
    asked.push(`${method} ${url}`);
    const isExchange = String(url) === ENDPOINT.href && method === 'POST';
    return {
      status: isExchange ? 200 : 404,
      headers: { 'access-control-allow-origin': ORIGIN, 'cache-control': 'no-store' },
      body: Buffer.from(isExchange ? JSON.stringify({ v: 2, config: {}, ...answer }) : ''),
      ...{ truncated: false, millis: 1, atMillis: Date.now() },
    };
  };
  return { ask, asked };
}

async function run(answer: object) {
  const { ask, asked } = world(answer);
  const settings = {
    endpoint: ENDPOINT,
    origin: ORIGIN,
    project: undefined,
    page: undefined,
    owned: undefined,
  };
  const diagnosis = await diagnose({ settings, ask });
  const by = (id: string) => diagnosis.findings.find((finding) => finding.id === id);
  return { ...diagnosis, by, asked };
}

test('doctor: sends nothing into a private network because an endpoint says so', async () => {
  for (const host of [
    '169.254.169.254',
    '10.0.0.1',
    'localhost:8080',
    '[fd00::1]',
    '192.168.1.1',
    'printer.local',
  ]) {
    const { by, asked } = await run({ uploads: [{ ...UPLOAD, url: `https://${host}/latest` }] });
    assert.equal(by('upload.url')?.status, 'fail', host);
    assert.ok(
      asked.every((one) => one.includes(' https://traces.example/')),
      asked.join('\n'),
    );
  }
});

test('doctor: an address is judged at connecting, whatever name or spelling leads there', async (t) => {
  let count = 0;
  const server = createServer((_, response) => {
    count += 1;
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const names: Record<string, string[]> = {
    'loopback.example': ['127.0.0.1'],
    'six.example': ['::1'],
    'mapped.example': ['::ffff:127.0.0.1'],
    'any.example': ['0.0.0.0'],
    'both.example': ['93.184.215.14', '127.0.0.1'],
    'metadata.example': ['169.254.169.254'],
  };
  let lookups = 0;
  // The first answer of `changing.example` is anybody's address, and no second is ever asked for.
  const lookup = ((name: string, _: object, done: (error: null, addresses: object[]) => void) => {
    lookups += 1;
    const answers =
      name === 'changing.example' ? [['93.184.215.14'], ['127.0.0.1']][lookups - 1] : names[name];
    done(
      null,
      (answers ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  }) as unknown as typeof lookUp;
  const guarded = createAsk(lookup);
  const spellings = ['[::]', '[::1]', '[::ffff:7f00:1]', '0', '2130706433', '0x7f.1', '0177.0.0.1', '127.1'];
  for (const host of [...Object.keys(names), ...spellings, 'localhost', 'localhost.']) {
    const { ask } = world({ uploads: [{ ...UPLOAD, url: `http://${host}:${port}/latest` }] });
    const both: Ask = (url, request) =>
      new URL(url).origin === ENDPOINT.origin ? ask(url, request) : guarded(url, request);
    const settings = { endpoint: ENDPOINT, origin: 'http://shop.example', project: undefined };
    const { findings } = await diagnose({
      settings: { ...settings, page: undefined, owned: undefined },
      ask: both,
    });
    const found = findings.find(({ id }) => id === 'upload.url');
    assert.deepEqual([found?.status, count], ['fail', 0], `${host}: ${found?.seen}`);
  }
  lookups = 0;
  await assert.rejects(
    guarded(`http://changing.example:${port}/`, { isForeign: true, timeoutMillis: 50 }),
    (error: HttpError) => error.kind !== 'inner',
  );
  assert.deepEqual([lookups, count], [1, 0]);
  assert.equal((await guarded(`http://127.0.0.1:${port}/`)).status, 200);
});

test('doctor: follows no redirect of a page into a network of ours', async () => {
  const asked: [url: string, isForeign: boolean | undefined][] = [];
  const { ask } = world({ uploads: [] });
  const redirecting: Ask = async (url, request = {}) => {
    const answer = await ask(url, request);
    if (!String(url).includes('/page')) return answer;
    asked.push([String(url), request.isForeign]);
    return { ...answer, status: 302, headers: { location: 'http://inner.example/page' } };
  };
  const settings = { endpoint: ENDPOINT, origin: ORIGIN, project: undefined, owned: undefined };
  await diagnose({ settings: { ...settings, page: new URL(`${ORIGIN}/page`) }, ask: redirecting });
  assert.deepEqual(asked.slice(0, 2), [
    [`${ORIGIN}/page`, undefined],
    ['http://inner.example/page', true],
  ]);
});

test('doctor: sends nothing where one answer names several hosts', async () => {
  const other = { ...UPLOAD, url: 'https://other.example/a' };
  const { by, asked } = await run({ uploads: [UPLOAD, other] });
  assert.equal(by('upload.url')?.seen, 'one answer names several hosts');
  assert.ok(asked.every((one) => one.includes(' https://traces.example/')));
});

test('doctor: says what an upload does not sign, how long it lasts, and that its key is none', async () => {
  const { by } = await run({ uploads: [UPLOAD] });
  assert.equal(by('upload.signed')?.seen, 'not signed: content-type, if-none-match');
  assert.equal(by('upload.lifetime')?.seen, '7 days');
  assert.equal(by('upload.size')?.status, 'warn');
  assert.equal(by('upload.key')?.status, 'warn');
});

test('doctor: an endpoint without uploads: relay only, paused, or empty', async () => {
  const relayOnly = await run({ uploads: [], relay: true });
  assert.equal(relayOnly.by('upload.issued')?.status, 'skip');
  assert.equal(relayOnly.by('relay.store')?.status, 'fail');
  assert.ok(relayOnly.asked.some((one) => /^POST .*relay=[0-9a-f-]{36}$/.test(one)));
  const paused = await run({ uploads: [], config: { paused: true } });
  assert.deepEqual(
    [paused.by('endpoint.paused')?.status, paused.by('upload.issued')?.status],
    ['warn', 'skip'],
  );
  assert.equal((await run({ uploads: [] })).by('upload.issued')?.status, 'fail');
});

test('doctor: a store that fails its owner is a finding, and no crash', async () => {
  const { ask } = world({ uploads: [] });
  const storage = { head: () => Promise.reject(storageDown()) } as never;
  const options = { endpoint: 'https://store.example', bucket: 'a', accessKeyId: 'a', secretAccessKey: 'b' };
  const settings = {
    endpoint: ENDPOINT,
    origin: ORIGIN,
    project: 'pk',
    page: undefined,
    owned: { options, storage },
  };
  const { findings } = await diagnose({ settings, ask });
  assert.equal(findings.find(({ id }) => id === 'bucket.lifecycle')?.seen, 'the store does not tell: 404');
});

test('doctor: deletes what it wrote itself, whatever key an endpoint names', async () => {
  const storage = memoryStorage();
  const victim = new Uint8Array(200);
  storage.objects.set('a/precious', victim);
  const url = UPLOAD.url.replace('/bucket/a', '/a/precious');
  const { ask } = world({ uploads: [{ ...UPLOAD, url }] });
  const taking: Ask = async (asked, request = {}) => {
    const answer = await ask(asked, request);
    return String(asked) === url && request.method === 'PUT' ? { ...answer, status: 200 } : answer;
  };
  const options = { endpoint: 'https://store.example', bucket: 'a', accessKeyId: 'a', secretAccessKey: 'b' };
  const settings = {
    endpoint: ENDPOINT,
    origin: ORIGIN,
    project: undefined,
    page: undefined,
    owned: { options, storage },
  };
  const { findings, leftKeys } = await diagnose({ settings, ask: taking });
  assert.deepEqual([...storage.objects], [['a/precious', victim]]);
  assert.deepEqual(leftKeys, ['a/precious']);
  assert.equal(findings.find(({ id }) => id === 'owner.delete')?.status, 'warn');
});
