import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { ENDPOINT, ingestHarness, NOW_MILLIS, ORIGIN } from '../testing/ingest-harness.js';
import { storageDown } from '../testing/memory-storage.js';
import { createIngest } from './ingest.js';
import type { IngestLogEntry } from './log.js';
import { memoryQuota } from './memory-quota.js';
import { s3 } from './s3.js';

const BYTES = new Uint8Array(gzipSync('{"resourceSpans":[]}'));
const PAGE = '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f';
const LEDGER = {
  id: PAGE,
  ...{ sealed: 0, created: 0, adopted: 0, stored: 0, waiting: 0, dropped: 0, handedOver: 0 },
};
const NOTHING = {
  ...{ wanted: 0, issued: 0, renewed: 0, confirmed: 0, stored: 0, storedSpans: 0, lost: 0 },
  ...{ bodyBytes: 0, issuedBytes: 0 },
};

function logging(options: Parameters<typeof ingestHarness>[0] = {}) {
  const entries: IngestLogEntry[] = [];
  const harness = ingestHarness({ onLog: (entry) => entries.push(entry), ...options });
  return { ...harness, entries, last: () => entries.at(-1) as IngestLogEntry };
}

test('log: an exchange is one entry, with what was asked and given', async () => {
  const { exchange, issue, last, entries } = logging({
    quota: { store: memoryQuota(), perProject: { objects: 3 } },
  });
  const { key, token } = await issue();
  const body = {
    client: 'spandrel/0.1.0',
    want: 3,
    renew: [token],
    confirm: [token],
    stored: [{ key, token, spanCount: 7, bytes: 1, traces: [] }],
    lost: { paused: 2, 'outbox-full': 3 },
    page: LEDGER,
  };
  await exchange(body);
  assert.equal(entries.length, 2);
  assert.deepEqual(last(), {
    ...NOTHING,
    atMillis: NOW_MILLIS,
    kind: 'exchange',
    status: 200,
    project: 'default',
    origin: ORIGIN,
    client: 'spandrel/0.1.0',
    page: PAGE,
    wanted: 3,
    issued: 2,
    renewed: 1,
    confirmed: 1,
    stored: 1,
    storedSpans: 7,
    lost: 5,
    bodyBytes: Buffer.byteLength(JSON.stringify({ v: 1, ...body })),
    quota: 'reduced',
    durations: { body: 0, hooks: 0, quota: 0, sign: 0, store: 0, total: 0 },
  });
  assert.deepEqual(JSON.parse(JSON.stringify(last())), last());
});

test('log: relays, preflights and refusals are one entry each', async () => {
  const { send, issue, exchange, storage, last, entries } = logging();
  const { token } = await issue();
  const fields = (entry: IngestLogEntry) => {
    const { kind, status, error, project, created, bodyBytes } = entry;
    return { kind, status, error, project, created, bodyBytes };
  };
  const none = { error: undefined, project: undefined, created: undefined, bodyBytes: 0 };
  const relayed = { ...none, kind: 'relay', project: 'default', bodyBytes: BYTES.length };
  for (const created of [true, false]) {
    await send({ query: `?relay=${token}`, body: BYTES });
    assert.deepEqual(fields(last()), { ...relayed, status: 200, created });
  }
  await send({ query: '?relay=x', body: BYTES });
  assert.deepEqual(fields(last()), { ...none, kind: 'relay', status: 400, error: 'bad_token' });
  await send({ method: 'OPTIONS' });
  assert.deepEqual(fields(last()), { ...none, kind: 'preflight', status: 204 });
  await send({ method: 'GET' });
  assert.deepEqual(fields(last()), { ...none, kind: 'other', status: 405, error: 'method_not_allowed' });
  await exchange({}, { origin: 'https://evil.example' });
  assert.deepEqual(fields(last()), { ...none, kind: 'exchange', status: 403, error: 'forbidden_origin' });
  storage.failure = storageDown();
  await exchange({ want: 1 });
  assert.equal(last().error, 'storage_failed');
  assert.equal(entries.length, 8);
});

test('log: a failing onLog costs nobody an answer, and is reported', async () => {
  const failing = [
    () => {
      throw new Error('log');
    },
    () => Promise.reject(new Error('log')),
  ];
  for (const onLog of failing) {
    const { exchange, errors } = ingestHarness({ onLog });
    assert.equal((await exchange({ want: 1 })).status, 200);
    await new Promise(setImmediate);
    assert.deepEqual(errors.map(String), ['Error: log']);
  }
});

test('log: headers and names go in only where they have their form', async () => {
  const { exchange, last } = logging({ allowedOrigins: '*' });
  for (const [origin, logged] of [
    ['https://a.example', 'https://a.example'],
    ['null', 'null'],
    ['https://a.example/?token=1', 'invalid'],
    ['https://u:p@a.example', 'invalid'],
    ['x\ty', 'invalid'],
  ] as const) {
    await exchange({}, { origin });
    assert.equal(last().origin, logged);
  }
  for (const client of ['', 'a b', 'https://a.example/x', '1.abc.def', 'x/1\n2', 'x/y']) {
    await exchange({ client });
    assert.equal(last().client, undefined, client);
  }
});

test('server-timing: says durations and nothing else, to pages that may read them', async () => {
  const clock = { nowMillis: NOW_MILLIS };
  const { send, issue, exchange } = ingestHarness({
    now: () => (clock.nowMillis += 0.25),
    quota: { store: memoryQuota(), perProject: { objects: 100 } },
  });
  const { token } = await issue();
  const all = await exchange({ want: 1, confirm: [token] });
  assert.match(
    all.headers.get('server-timing') ?? '',
    /^quota;dur=\d+(\.\d)?, sign;dur=\d+(\.\d)?, store;dur=\d+(\.\d)?, total;dur=\d+(\.\d)?$/,
  );
  assert.match(all.headers.get('server-timing') ?? '', /total;dur=[^0]/);
  assert.equal(all.headers.get('timing-allow-origin'), ORIGIN);
  assert.match((await exchange({ want: -1 })).headers.get('server-timing') ?? '', /^total;dur=/);
  const foreign = await exchange({ want: 1 }, { origin: 'https://evil.example' });
  assert.equal(foreign.headers.get('server-timing'), null);
  assert.equal(foreign.headers.get('timing-allow-origin'), null);
  assert.equal((await send({ method: 'OPTIONS' })).headers.get('server-timing'), null);
  const silent = ingestHarness({ serverTiming: false });
  assert.equal((await silent.exchange({ want: 1 })).headers.get('server-timing'), null);
});

test('secrets: no log, error or answer has one, whatever comes in and whatever fails', async () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9]{32,40}$/);
  const outcome = fc.constantFrom('ok', 'refused', 'down', 'throws');
  await fc.assert(
    fc.asyncProperty(
      secret,
      secret,
      secret,
      outcome,
      fc.boolean(),
      async (signing, access, own, store, isRelay) => {
        const written: string[] = [];
        const write = (value: unknown): void => void written.push(inspect(value, { depth: 9 }));
        const ingest = createIngest({
          storage: s3({
            endpoint: `https://${access.slice(0, 8)}.store.example`,
            bucket: 'traces',
            accessKeyId: access,
            secretAccessKey: own,
            fetch: async (url) => {
              if (store === 'throws') throw new TypeError('fetch failed');
              if (store === 'refused') return new Response(`denied ${url}`, { status: 403 });
              return new Response(null, { status: store === 'down' ? 503 : 404 });
            },
          }),
          secret: signing,
          allowedOrigins: [],
          quota: {
            store: memoryQuota(),
            perSubject: { objects: 9, of: (request) => request.headers.get('x-ip') ?? '' },
          },
          onLog: write,
          onError: write,
        });
        const post = async (query: string, body: BodyInit) => {
          const headers = { origin: ORIGIN, 'x-ip': '192.0.2.77', authorization: own };
          const response = await ingest(new Request(ENDPOINT + query, { method: 'POST', body, headers }));
          return { headers: response.headers, body: await response.json() };
        };
        const issued = (await post('', '{"v":1,"want":1}')).body.uploads[0];
        const answer = isRelay
          ? await post(`?relay=${issued.token}&project=${own}`, BYTES)
          : await post(
              '',
              JSON.stringify({ v: 1, want: 1, confirm: [issued.token, own], client: own, project: own }),
            );
        const { uploads, confirmed, token, key, ...rest } = answer.body;
        await new Promise(setImmediate);
        written.push(JSON.stringify([...answer.headers, rest]));
        assert.ok(written.length >= 3);
        for (const text of written) {
          for (const word of [
            signing,
            access,
            own,
            issued.token,
            issued.key,
            'X-Amz',
            '192.0.2.77',
            'store.example',
          ]) {
            assert.ok(!text.includes(word), `${word} is in ${text}`);
          }
        }
        for (const word of [signing, own]) assert.ok(!JSON.stringify(uploads ?? []).includes(word));
      },
    ),
    { numRuns: 100 },
  );
});
