import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PageLedger, StoredReceipt, TraceSummary } from '../protocol.js';
import { ingestHarness, ORIGIN, SECRET } from '../testing/ingest-harness.js';
import type { IngestContext } from './ingest-options.js';

const SUMMARY: TraceSummary = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  rootName: 'documentLoad',
  startedAt: 1_795_230_000_000,
  durationMs: 12.5,
  spanCount: 3,
  error: false,
};

const PAGE = '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f';

const LEDGER: PageLedger = {
  id: PAGE,
  sealed: 2,
  created: 5,
  adopted: 3,
  stored: 4,
  waiting: 2,
  dropped: 1,
  handedOver: 1,
};

function receiptFor(upload: { key: string; token: string }): StoredReceipt {
  return { key: upload.key, token: upload.token, spanCount: 3, bytes: 420, traces: [SUMMARY] };
}

test('exchange: fresh uploads have keys and tokens of their own, of this minute and project', async () => {
  const { exchange } = ingestHarness();
  const { status, headers, body } = await exchange({ want: 3 });
  assert.equal(status, 200);
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.equal(headers.get('content-type'), 'application/json');
  assert.deepEqual(body.config, { paused: false, rules: [] });
  assert.deepEqual(body.confirmed, []);
  assert.equal(body.uploads.length, 3);
  assert.equal(new Set(body.uploads.map(({ key }) => key)).size, 3);
  assert.equal(new Set(body.uploads.map(({ token }) => token)).size, 3);
  for (const upload of body.uploads) {
    assert.match(
      upload.key,
      /^otlp\/v1\/default\/production\/year=2026\/month=11\/day=21\/hour=03\/minute=04\/traces_[0-9a-f-]{36}\.json\.gz$/,
    );
    assert.equal(upload.url, `https://store.example/bucket/${upload.key}?expires=900`);
    assert.deepEqual(upload.headers, { 'content-type': 'application/gzip' });
    assert.equal(upload.method, 'PUT');
    assert.equal(upload.expiresInMs, 900_000);
  }
});

test('exchange: gives no more than the operator allows, however much is wanted', async () => {
  const { exchange } = ingestHarness({ maxUploads: 2, urlExpirySeconds: 60 });
  for (const want of [2, 3, 1e300]) {
    const { body } = await exchange({ want });
    assert.deepEqual(
      body.uploads.map(({ expiresInMs }) => expiresInMs),
      [60_000, 60_000],
    );
  }
  assert.deepEqual((await exchange({ want: 0 })).body.uploads, []);
});

test('exchange: renews the URL of a key under the same key and token, also after the URL is long dead', async () => {
  const { exchange, issue, clock } = ingestHarness();
  const { key, token } = await issue();
  clock.nowMillis += 6 * 86_400_000;
  const { body } = await exchange({ renew: [token, token] });
  assert.deepEqual(
    body.uploads.map((upload) => ({ key: upload.key, token: upload.token })),
    [{ key, token }],
  );
});

test('exchange: hands on genuine receipts and no others, cleaned of what is not ours', async () => {
  const told: [StoredReceipt[], IngestContext][] = [];
  const { exchange, issue } = ingestHarness({ onStored: (...args) => told.push(args) });
  const [one, two, other] = [
    await issue(),
    await issue(),
    await ingestHarness({ secret: `${SECRET}!` }).issue(),
  ];
  const longName = { ...SUMMARY, rootName: 'x'.repeat(300), evil: true };
  const { status } = await exchange({
    stored: [
      { ...receiptFor(one), unconfirmed: true, traces: [longName] },
      receiptFor({ key: one.key, token: two.token }),
      receiptFor(other),
      receiptFor({ key: two.key, token: 'garbage' }),
    ],
  });
  assert.equal(status, 200);
  const expected = {
    ...receiptFor(one),
    unconfirmed: true,
    traces: [{ ...SUMMARY, rootName: 'x'.repeat(255) }],
  };
  assert.deepEqual(told, [[[expected], { project: 'default', kind: 'exchange', origin: ORIGIN }]]);
});

test('exchange: a bad token is passed over where there is anything else', async () => {
  const { exchange, issue } = ingestHarness();
  const { token } = await issue();
  const bad = ['', 'garbage', `${token}A`];
  const { status, body } = await exchange({ want: 1, confirm: [...bad, token], renew: bad });
  assert.equal(status, 200);
  assert.equal(body.uploads.length, 1);
  assert.deepEqual(body.confirmed, [{ token, stored: false }]);
  assert.equal((await exchange({ confirm: bad, lost: { 'outbox-full': 1 } })).status, 200);
  assert.equal((await exchange({ confirm: bad, page: LEDGER })).status, 200);
  assert.equal((await exchange({ confirm: bad })).body.error.code, 'bad_token');
});

test('exchange: expired tokens renew nothing', async () => {
  const { exchange, issue, clock } = ingestHarness();
  const { token } = await issue();
  clock.nowMillis += 7 * 86_400_000 + 1;
  assert.equal((await exchange({ renew: [token] })).body.error.code, 'bad_token');
});

test('exchange: paused clients get the word and no fresh uploads, and may finish what they have', async () => {
  let paused = false;
  const rules = [{ id: 1, match: { 'url.template': '/' }, rate: 0.5 }];
  const { exchange, issue } = ingestHarness({ config: async () => ({ paused, rules }) });
  const { key, token } = await issue();
  paused = true;
  const { body } = await exchange({ want: 3, renew: [token] });
  assert.deepEqual(body.config, { paused: true, rules });
  assert.deepEqual(
    body.uploads.map((upload) => upload.key),
    [key],
  );
});

test('exchange: each project has its own keys, tokens and origins', async () => {
  const { exchange, issue } = ingestHarness({
    projects: {
      pk_shop: { name: 'shop' },
      pk_blog: { name: 'blog', allowedOrigins: ['https://blog.example'] },
    },
  });
  const shop = await issue('pk_shop');
  assert.match(shop.key, /^otlp\/v1\/shop\/production\//);
  const fromBlog = { origin: 'https://blog.example' };
  const { body } = await exchange({ project: 'pk_blog', want: 1, renew: [shop.token] }, fromBlog);
  assert.deepEqual(
    body.uploads.map(({ key }) => key.split('/')[2]),
    ['blog'],
  );
  assert.equal((await exchange({ project: 'pk_shop' }, fromBlog)).body.error.code, 'forbidden_origin');
});

test('exchange: without projects, what a request says about its project is not looked at', async () => {
  const { issue } = ingestHarness({ project: 'shop', prefix: 'in', environment: 'test' });
  assert.match((await issue('whatever')).key, /^in\/shop\/test\/year=/);
});

test('exchange: tells the hooks what the client calls itself, cut, and not what is no text', async () => {
  const told: (string | undefined)[] = [];
  const { exchange, issue } = ingestHarness({ onStored: (_, { client }) => told.push(client) });
  for (const client of ['spandrel/0.1.0', 'x'.repeat(200), 7 as never]) {
    assert.equal((await exchange({ client, stored: [receiptFor(await issue())] })).status, 200);
  }
  assert.deepEqual(told, ['spandrel/0.1.0', 'x'.repeat(100), undefined]);
});

test('exchange: a receipt keeps its page and number, both or neither, and is never refused for them', async () => {
  const told: Partial<StoredReceipt>[] = [];
  const { exchange, issue } = ingestHarness({
    onStored: ([receipt]) => told.push({ page: receipt?.page, seq: receipt?.seq } as Partial<StoredReceipt>),
  });
  const upload = await issue();
  const kept = [1, Number.MAX_SAFE_INTEGER];
  const left: [unknown, unknown][] = [
    ...[0, -1, 1.5, 2 ** 53, '1', null, undefined].map((seq): [unknown, unknown] => [PAGE, seq]),
    ...['', 'page', PAGE.toUpperCase(), `${PAGE}\n`, 7, null, undefined].map((page): [unknown, unknown] => [
      page,
      1,
    ]),
  ];
  for (const [page, seq] of [...kept.map((seq) => [PAGE, seq]), ...left]) {
    const stored = [{ ...receiptFor(upload), page, seq } as StoredReceipt];
    assert.equal((await exchange({ stored })).status, 200, `${page} ${seq}`);
  }
  const neither = left.map(() => ({ page: undefined, seq: undefined }));
  assert.deepEqual(told, [...kept.map((seq) => ({ page: PAGE, seq })), ...neither]);
});

test('exchange: a ledger is handed on whole, cleaned of what is not ours, and names the page to all hooks', async () => {
  const told: unknown[] = [];
  const { exchange, issue } = ingestHarness({
    onPage: (...args) => told.push(args),
    onStored: (_, { page }) => told.push(page),
    onLost: (_, { page }) => told.push(page),
  });
  const stored = [receiptFor(await issue())];
  await exchange({ stored, lost: { paused: 1 }, page: { ...LEDGER, evil: true } as PageLedger });
  const context = { project: 'default', kind: 'exchange', origin: ORIGIN, page: PAGE };
  assert.deepEqual(told, [PAGE, [LEDGER, context], PAGE]);
});

test('exchange: a ledger with anything malformed is none, and everything else is answered', async () => {
  let named = false;
  const { exchange } = ingestHarness({
    onPage: () => assert.fail('told'),
    onLost: (_, context) => {
      named ||= 'page' in context;
    },
    config: (context) => {
      named ||= 'page' in context;
      return { paused: false, rules: [] };
    },
  });
  const names = ['id', 'sealed', 'created', 'adopted', 'stored', 'waiting', 'dropped', 'handedOver'];
  const bad = [undefined, null, -1, 1.5, 2 ** 53, '1', [], {}];
  const ledgers: unknown[] = [null, 7, 'page', [LEDGER], {}];
  for (const name of names) for (const value of bad) ledgers.push({ ...LEDGER, [name]: value });
  for (const page of ledgers) {
    const { status, body } = await exchange({ want: 1, lost: { paused: 1 }, page: page as PageLedger });
    assert.equal(status, 200, JSON.stringify(page));
    assert.equal(body.uploads.length, 1);
  }
  assert.equal(named, false);
});

/** An endpoint over a store that signs lengths in this way. */
function signing(uploadLength: 'exact' | 'range', maxUploadBytes?: number | false) {
  const harness = ingestHarness(maxUploadBytes === undefined ? {} : { maxUploadBytes });
  harness.storage.uploadLength = uploadLength;
  return harness;
}

test('exchange: uploads are signed for the lengths that are asked for, renewed ones first, within bounds', async () => {
  const { exchange, issue } = signing('exact');
  const tokens = [(await issue()).token, (await issue()).token];
  const { body } = await exchange({
    ...{ want: 6, renew: [tokens[0] as string, 'garbage', tokens[1] as string] },
    sizes: [700, 800, 900, 1_000, 63, 0, 1_048_576, 1_048_577],
  });
  assert.deepEqual(
    body.uploads.map(({ token, bytes }) => [tokens.indexOf(token), bytes]),
    [
      ...[
        [0, 700],
        [1, 900],
      ],
      ...[1_000, 64, 4_096, 1_048_576, 1_048_576, 4_096].map((bytes) => [-1, bytes]),
    ],
  );
  for (const { url, bytes, maxBytes } of body.uploads) {
    assert.ok(url.endsWith(`&length=${bytes}`), url);
    assert.equal(maxBytes, undefined);
  }
});

test('exchange: where a store signs ranges, every upload is good for the largest object', async () => {
  const { exchange } = signing('range', 2_048);
  const { body } = await exchange({ want: 2, sizes: [700, 4_096] });
  for (const { url, bytes, maxBytes } of body.uploads) {
    assert.deepEqual([bytes, maxBytes], [undefined, 2_048]);
    assert.ok(url.endsWith('&length=2048'), url);
  }
});

for (const [name, harness] of [
  ['the operator wants none signed', signing('exact', false)],
  ['the store signs none', ingestHarness()],
] as const) {
  test(`exchange: uploads have no length where ${name}`, async () => {
    const { body } = await harness.exchange({ want: 1, sizes: [700] });
    assert.deepEqual([body.uploads[0]?.bytes, body.uploads[0]?.maxBytes], [undefined, undefined]);
    assert.ok(body.uploads[0]?.url.endsWith('?expires=900'));
  });
}

test('exchange: lengths that are none are refused', async () => {
  const { exchange } = signing('exact');
  for (const sizes of [[-1], [1.5], [1e308], ['700'], [null], 700, Array(121).fill(1)]) {
    const { body } = await exchange({ want: 1, sizes: sizes as number[] });
    assert.equal(body.error.code, 'malformed', JSON.stringify(sizes));
  }
});
