import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IngestHarness, ingestHarness, SECRET } from '../testing/ingest-harness.js';
import { storageDown } from '../testing/memory-storage.js';

async function issueMany({ issue }: IngestHarness, count: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let index = 0; index < count; index += 1) tokens.push((await issue()).token);
  return tokens;
}

test('confirm: tells what is in the store and what is not', async () => {
  const { exchange, issue, storage } = ingestHarness();
  const [stored, missing] = [await issue(), await issue()];
  storage.objects.set(stored.key, new Uint8Array(1));
  const { body } = await exchange({ confirm: [missing.token, stored.token] });
  assert.deepEqual(body.confirmed, [
    { token: missing.token, stored: false },
    { token: stored.token, stored: true },
  ]);
});

test('confirm: asks the store about all tokens, a few at a time', async () => {
  const harness = ingestHarness();
  const tokens = await issueMany(harness, 20);
  let asking = 0;
  let most = 0;
  harness.storage.head = async () => {
    asking += 1;
    most = Math.max(most, asking);
    await new Promise((resolve) => setImmediate(resolve));
    asking -= 1;
    return undefined;
  };
  const { body } = await harness.exchange({ confirm: tokens });
  assert.deepEqual(
    body.confirmed.map(({ token }) => token),
    tokens,
  );
  assert.equal(most, 6);
});

test('confirm: when the store does not tell, the token is left out and everything else is answered', async () => {
  const { exchange, issue, storage, errors } = ingestHarness();
  const { token } = await issue();
  const failure = storageDown();
  storage.head = () => Promise.reject(failure);
  const { status, body } = await exchange({ want: 1, confirm: [token] });
  assert.equal(status, 200);
  assert.equal(body.uploads.length, 1);
  assert.deepEqual(body.confirmed, []);
  assert.deepEqual(errors, [failure]);
});

test('confirm: forged, foreign and expired tokens are left out, and the store is not asked about them', async () => {
  const { exchange, issue, storage, clock } = ingestHarness({
    projects: { pk_shop: { name: 'shop' }, pk_blog: { name: 'blog' } },
  });
  const old = (await issue('pk_shop')).token;
  clock.nowMillis += 7 * 86_400_000 + 1;
  const { key, token } = await issue('pk_shop');
  const other = ingestHarness({ secret: `${SECRET}!`, projects: ['shop'], now: () => clock.nowMillis });
  const [version, payload, mac = ''] = token.split('.');
  const bad = [
    old,
    (await issue('pk_blog')).token,
    (await other.issue('shop')).token,
    [version, payload, mac.startsWith('A') ? `B${mac.slice(1)}` : `A${mac.slice(1)}`].join('.'),
    [version, btoa(`0\nshop\n${key}`), mac].join('.'),
    key,
    '',
  ];
  storage.calls.length = 0;
  const { body } = await exchange({ project: 'pk_shop', confirm: [...bad, token, token] });
  assert.deepEqual(body.confirmed, [{ token, stored: false }]);
  assert.deepEqual(
    storage.calls.filter((call) => !call.startsWith('list spandrel-state/')),
    [`head ${key}`],
  );
});

test('confirm: takes 100 tokens, answers 40 and leaves the others to be asked for again', async () => {
  const harness = ingestHarness();
  const tokens = await issueMany(harness, 101);
  assert.equal((await harness.exchange({ confirm: tokens })).body.error.code, 'malformed');
  const { body } = await harness.exchange({ confirm: tokens.slice(1) });
  assert.deepEqual(
    body.confirmed.map(({ token }) => token),
    tokens.slice(1, 41),
  );
});

test('confirm: a slow question holds up none of the others', async () => {
  const harness = ingestHarness();
  const tokens = await issueMany(harness, 20);
  let release = () => {};
  const held = new Promise<undefined>((resolve) => {
    release = () => resolve(undefined);
  });
  let asked = 0;
  harness.storage.head = async () => {
    asked += 1;
    if (asked === tokens.length) release();
    return asked === 1 ? held : undefined;
  };
  const { body } = await harness.exchange({ confirm: tokens });
  assert.deepEqual(
    body.confirmed.map(({ token }) => token),
    tokens,
  );
});

test('confirm: a store that takes its time is not asked on until the client has given up', async () => {
  const harness = ingestHarness();
  const tokens = await issueMany(harness, 40);
  harness.storage.head = async () => {
    harness.clock.nowMillis += 500;
    return undefined;
  };
  const { body } = await harness.exchange({ confirm: tokens });
  assert.deepEqual(
    body.confirmed.map(({ token }) => token),
    tokens.slice(0, 10),
  );
});

test('confirm: a store that is down is not asked about every token, and no failure is an answer', async () => {
  const harness = ingestHarness();
  const tokens = await issueMany(harness, 40);
  harness.storage.failure = storageDown();
  harness.storage.calls.length = 0;
  const { status, body } = await harness.exchange({ confirm: tokens });
  assert.equal(status, 200);
  assert.deepEqual(body.confirmed, []);
  assert.ok(harness.storage.calls.length < 12, `${harness.storage.calls.length} questions`);
  assert.equal(harness.errors.length, harness.storage.calls.length);
});

test('confirm: one key that fails costs the others nothing', async () => {
  const harness = ingestHarness();
  const tokens = await issueMany(harness, 12);
  let asked = 0;
  harness.storage.head = async () => {
    asked += 1;
    if (asked === 3) throw storageDown();
    return undefined;
  };
  const { body } = await harness.exchange({ confirm: tokens });
  assert.deepEqual(
    body.confirmed.map(({ token }) => token),
    tokens.filter((_, index) => index !== 2),
  );
});
