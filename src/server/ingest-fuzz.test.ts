/** Whatever is sent, nothing breaks and nothing is signed or stored outside the prefix. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { HOSTILE_GZIP, HOSTILE_JSON } from '../testing/hostile-bodies.js';
import { ENDPOINT, ingestHarness, ORIGIN, SECRET } from '../testing/ingest-harness.js';
import { createIngest } from './ingest.js';
import { createLedger } from './ledger.js';
import { s3 } from './s3.js';
import { createTokens } from './token.js';

const UPLOAD =
  /^https:\/\/store\.example\/traces\/otlp\/v1\/default\/production\/year%3D\d{4}\/month%3D\d\d\/day%3D\d\d\/hour%3D\d\d\/minute%3D\d\d\/traces_[0-9a-f-]{36}\.json\.gz\?/;
const KEY =
  /^otlp\/v1\/default\/production\/year=\d{4}\/month=\d\d\/day=\d\d\/hour=\d\d\/minute=\d\d\/traces_[0-9a-f-]{36}\.json\.gz$/;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** In what is made up, where a message might repeat it. */
const MARK = 'm4rk';
const tokens = createTokens({ secrets: [SECRET], maxAgeSeconds: 604_800, now: Date.now });

const put: string[] = [];
const failures: unknown[] = [];
const told = { receipts: 0, numbered: 0, pages: 0 };
const ledger = createLedger({ maxPages: 2 });
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const ingest = createIngest({
  storage: s3({
    endpoint: 'https://store.example',
    bucket: 'traces',
    accessKeyId: 'id',
    secretAccessKey: 'key',
    fetch: async (url, { method }) => {
      if (method === 'PUT') put.push(url);
      if (url.includes('list-type=2')) return new Response('<ListBucketResult></ListBucketResult>');
      return new Response(null, { status: method === 'PUT' ? 200 : 404 });
    },
  }),
  secret: SECRET,
  allowedOrigins: [],
  onStored(receipts, context) {
    for (const { page, seq } of receipts) {
      told.receipts += 1;
      assert.equal(page === undefined, seq === undefined);
      if (page === undefined || seq === undefined) continue;
      told.numbered += 1;
      assert.ok(UUID.test(page) && isCount(seq) && seq > 0);
    }
    ledger.onStored(receipts, context);
  },
  onPage({ id, ...counts }, context) {
    told.pages += 1;
    assert.match(id, UUID);
    assert.equal(context.page, id);
    assert.equal(Object.keys(counts).length, 7);
    assert.ok(Object.values(counts).every(isCount));
    ledger.onPage({ id, ...counts }, context);
    assert.ok(ledger.pages().length <= 2);
  },
  onLost: ledger.onLost,
  // What a hook asserts comes here as well.
  onError: (error) => failures.push(error),
});

async function send(query: string, body: string | Uint8Array<ArrayBuffer>): Promise<number> {
  put.length = 0;
  const response = await ingest(
    new Request(ENDPOINT + query, { method: 'POST', body, headers: { origin: ORIGIN } }),
  );
  const answer = await response.json();
  assert.ok(
    response.status === 200 || (response.status >= 400 && response.status < 500),
    `${response.status}`,
  );
  if (response.status !== 200) assert.deepEqual(Object.keys(answer), ['error']);
  for (const { url, key, token, bytes } of answer.uploads ?? []) {
    assert.match(url, UPLOAD);
    assert.match(key, KEY);
    // What is signed is the key that the answer says, and the token is this key's.
    const { pathname, searchParams } = new URL(url);
    assert.equal(decodeURIComponent(pathname), `/traces/${key}`);
    const length = bytes === undefined ? '' : 'content-length;';
    assert.equal(searchParams.get('X-Amz-SignedHeaders'), `${length}content-type;host;if-none-match`);
    assert.equal(searchParams.get('X-Amz-Expires'), '900');
    assert.equal((await tokens.verify(token))?.key, key);
  }
  // A message that says what was sent would say it to whoever reads the log.
  if (answer.error) assert.ok(!answer.error.message.includes(MARK), answer.error.message);
  for (const url of put) assert.match(`${url}?`, UPLOAD);
  assert.deepEqual(failures.splice(0), []);
  return response.status;
}

// Issued for keys that the fuzzed endpoint would sign, so that some of what is made up from it is genuine.
const { key: genuineKey, token: genuine } = await ingestHarness({ now: Date.now }).issue();
const token = fc.oneof(
  fc.constant(genuine),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constant(MARK),
  fc.nat(genuine.length).map((length) => genuine.slice(0, length)),
  fc
    .tuple(fc.nat(genuine.length - 1), fc.string({ minLength: 1, maxLength: 1 }))
    .map(([index, character]) => genuine.slice(0, index) + character + genuine.slice(index + 1)),
);
const anything = fc.jsonValue({ maxDepth: 2 });
const mostly = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary }, { weight: 1, arbitrary: anything });

const summary = fc.record(
  {
    traceId: mostly(fc.constant('0af7651916cd43dd8448eb211c80319c')),
    rootName: mostly(fc.string({ unit: 'binary', maxLength: 300 })),
    startedAt: mostly(fc.double({ min: 0, max: 2e12 })),
    durationMs: mostly(fc.double({ min: 0, max: 1e6 })),
    spanCount: mostly(fc.nat()),
    error: mostly(fc.boolean()),
  },
  { requiredKeys: ['traceId'] },
);
const pageId = fc.oneof(
  fc.constant('0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f'),
  fc.uuid(),
  fc.constantFrom('__proto__', '../..', ''),
);
const seq = fc.oneof(fc.nat(5), fc.maxSafeInteger(), fc.double());
const spanCount = fc.oneof(fc.nat(100), fc.maxSafeNat(), fc.constantFrom(2 ** 53, -1, 0.5));
const page = fc.record(
  {
    id: mostly(pageId),
    sealed: spanCount,
    created: spanCount,
    adopted: fc.nat(),
    stored: fc.nat(),
    waiting: fc.nat(),
    dropped: fc.nat(),
    handedOver: fc.nat(),
  },
  { requiredKeys: ['id', 'sealed', 'created', 'adopted', 'stored', 'waiting', 'dropped'] },
);
const exchangeBody = fc.record(
  {
    v: mostly(fc.constant(1)),
    project: mostly(fc.constantFrom('default', '../..', '%2e%2e', 'a/b', MARK)),
    want: mostly(fc.oneof(fc.integer({ min: -2, max: 20 }), fc.double())),
    stored: mostly(
      fc.array(
        fc.record({
          key: mostly(fc.constantFrom('../../etc', 'otlp/v1/x', genuineKey)),
          token: mostly(fc.oneof(token, fc.constant(genuine))),
          spanCount: mostly(fc.nat()),
          bytes: mostly(fc.nat()),
          page: mostly(pageId),
          seq: mostly(seq),
          traces: mostly(fc.array(summary, { maxLength: 3 })),
        }),
        { maxLength: 3 },
      ),
    ),
    confirm: mostly(fc.array(token, { maxLength: 5 })),
    renew: mostly(fc.array(token, { maxLength: 5 })),
    sizes: mostly(fc.array(fc.oneof(fc.nat(), fc.maxSafeInteger()), { maxLength: 5 })),
    lost: mostly(
      fc.dictionary(
        fc.constantFrom('paused', MARK, '__proto__', 'toString', 'constructor'),
        mostly(fc.nat()),
      ),
    ),
    page: mostly(page),
  },
  { requiredKeys: ['v'] },
);

test('ingest: no exchange breaks it or gets a URL for a key that is not its own', async () => {
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(exchangeBody, async (body) => {
      statuses.add(await send('', JSON.stringify(body)));
    }),
    { numRuns: 500 },
  );
  assert.deepEqual([...statuses].sort(), [200, 400]);
});

test('ingest: hooks hear of pages and numbers that are whole, or of none', async () => {
  const stored = fc.record({
    key: fc.constant(genuineKey),
    token: fc.constant(genuine),
    spanCount: fc.nat(),
    bytes: fc.nat(),
    page: mostly(pageId),
    seq: mostly(seq),
    traces: fc.constant([]),
  });
  const body = fc.record({
    v: fc.constant(1),
    stored: fc.array(stored, { maxLength: 3 }),
    page: mostly(page),
  });
  await fc.assert(
    fc.asyncProperty(body, async (sent) => {
      assert.equal(await send('', JSON.stringify(sent)), 200);
    }),
    { numRuns: 300 },
  );
  // Else the hooks have looked at nothing.
  assert.ok(told.numbered > 0 && told.numbered < told.receipts && told.pages > 0, JSON.stringify(told));
});

test('ingest: no bytes break it', async () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => new Uint8Array(array));
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json());
  await fc.assert(
    fc.asyncProperty(fc.oneof(bytes, text), async (body) => {
      await send('', body);
    }),
    { numRuns: 300 },
  );
});

test('ingest: no relay breaks it or stores outside the prefix', async () => {
  const good = new Uint8Array(gzipSync('{"resourceSpans":[]}'));
  const body = fc.oneof(
    fc.constant(good),
    fc.json().map((json) => new Uint8Array(gzipSync(json))),
    fc.nat(good.length).map((length) => good.slice(0, length)),
    fc
      .tuple(fc.nat(good.length - 1), fc.nat(255))
      .map(([index, byte]) => good.map((old, at) => (at === index ? byte : old))),
    fc.uint8Array({ maxLength: 100 }).map((array) => new Uint8Array(array)),
  );
  const blob = fc.oneof(
    fc.uuid({ version: 7 }),
    fc.uuid({ version: 7 }).map((uuid) => `${recentPrefix()}${uuid.slice(13)}`),
    fc.string({ unit: 'binary' }),
  );
  const query = fc
    .tuple(fc.oneof(token, fc.constant('')), blob, fc.string({ unit: 'binary' }))
    .map(([relay, id, project]) => `?${new URLSearchParams({ relay, blob: id, project })}`);
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(query, body, async (search, bytes) => {
      statuses.add(await send(search, bytes));
    }),
    { numRuns: 500 },
  );
  assert.deepEqual([...statuses].sort(), [200, 400]);
});

for (const [name, body] of Object.entries(HOSTILE_JSON)) {
  test(`ingest: a hostile exchange, ${name}, is answered`, async () => {
    await send('', body);
  });
}

for (const [name, body] of Object.entries(HOSTILE_GZIP)) {
  test(`ingest: a hostile relay, ${name}, is refused and not stored`, async () => {
    assert.ok([400, 413].includes(await send(`?relay=${genuine}`, body)));
    assert.deepEqual(put, []);
  });
}

test('ingest: headers, queries and methods of all kinds break nothing', async () => {
  const name = fc.constantFrom(
    'origin',
    'content-type',
    'content-length',
    'content-encoding',
    'sec-fetch-site',
    'host',
  );
  const value = fc.oneof(
    fc.stringMatching(/^[\x20-\x7e]{0,40}$/),
    fc.constantFrom('null', '-1', '1073741824', 'gzip', 'https://shop.example:99999'),
  );
  const query = fc.oneof(
    fc.webQueryParameters(),
    fc.string({ unit: 'binary', maxLength: 50 }),
    fc.constant('relay'),
  );
  const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'DELETE', 'PROPFIND');
  await fc.assert(
    fc.asyncProperty(method, query, fc.array(fc.tuple(name, value)), async (way, search, headers) => {
      const url = new URL(ENDPOINT);
      url.search = search;
      const body = way === 'GET' || way === 'HEAD' ? {} : { body: '{"v":1}' };
      const { status } = await ingest(new Request(url, { method: way, headers, ...body }));
      assert.ok(status < 500, `${status}`);
      assert.deepEqual(failures.splice(0), []);
    }),
    { numRuns: 500 },
  );
});

test('ingest: hostile bodies leave no memory behind, and take little meanwhile', async () => {
  const bodies = Object.values(HOSTILE_GZIP);
  const most = Math.max(...bodies.map(({ length }) => length));
  assert.ok(most < 300_000, 'else they are refused for their length');
  const before = process.memoryUsage().rss;
  let peak = before;
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(bodies.map((body) => ingestOnce(`?relay=${genuine}`, body)));
    peak = Math.max(peak, process.memoryUsage().rss);
  }
  // Twenty bombs of 20 MiB each, five at a time, would be ten times as much.
  assert.ok(peak - before < 200 * 1_048_576, `${Math.round((peak - before) / 1_048_576)} MiB`);
});

async function ingestOnce(query: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
  await (
    await ingest(new Request(ENDPOINT + query, { method: 'POST', body, headers: { origin: ORIGIN } }))
  ).text();
}

/** The first 13 characters of a UUIDv7 of now. */
function recentPrefix(): string {
  const hex = Date.now().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
