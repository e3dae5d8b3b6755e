/** What a stolen, old or foreign token is good for: its own key, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { ingestHarness, SECRET } from '../testing/ingest-harness.js';

const BYTES = new Uint8Array(gzipSync('{"resourceSpans":[]}'));

test('replay: a token stores one object, however often it comes, and by whatever way', async () => {
  const { send, issue, exchange, storage } = ingestHarness();
  const { key, token } = await issue();
  for (let times = 0; times < 3; times += 1) {
    const body = new Uint8Array(gzipSync(`{"resourceSpans":[],"n":${times}}`));
    assert.equal((await send({ query: `?relay=${token}`, body })).body.created, times === 0);
  }
  assert.deepEqual([...storage.objects.keys()], [key]);
  const { uploads } = (await exchange({ renew: [token, token, token] })).body;
  assert.deepEqual(
    uploads.map((upload) => upload.key),
    [key],
  );
});

test('replay: in the name of another project a token renews, confirms and tells nothing', async () => {
  const told: unknown[] = [];
  const { exchange, issue } = ingestHarness({
    projects: ['a', 'b'],
    onStored: (receipts) => told.push(receipts),
  });
  const { key, token } = await issue('a');
  const receipt = { key, token, spanCount: 1, bytes: 1, traces: [] };
  const { status, body } = await exchange({
    project: 'b',
    want: 1,
    renew: [token],
    confirm: [token],
    stored: [receipt],
  });
  assert.equal(status, 200);
  assert.deepEqual(body.confirmed, []);
  assert.equal(body.uploads.length, 1);
  assert.match(body.uploads[0]?.key ?? '', /^otlp\/v1\/b\//);
  assert.deepEqual(told, []);
});

test('replay: a relay goes under the project of its token, whatever the request says', async () => {
  const { send, issue, storage } = ingestHarness({ projects: ['a', 'b'] });
  const { key, token } = await issue('a');
  assert.equal((await send({ query: `?relay=${token}&project=b&blob=x`, body: BYTES })).status, 200);
  assert.deepEqual([...storage.objects.keys()], [key]);
});

test('replay: where prefix or environment has changed, a token is good for its own old key alone', async () => {
  const { key, token } = await ingestHarness().issue();
  for (const change of [{ prefix: 'in' }, { environment: 'test' }]) {
    const { exchange, send, storage } = ingestHarness(change);
    const { uploads } = (await exchange({ renew: [token], want: 1 })).body;
    assert.equal(uploads[0]?.key, key);
    assert.notEqual(uploads[1]?.key.split('/year=')[0], key.split('/year=')[0]);
    assert.equal((await send({ query: `?relay=${token}`, body: BYTES })).body.key, key);
    assert.deepEqual([...storage.objects.keys()], [key]);
  }
});

test('replay: another secret’s tokens, and those of a retired one, are none', async () => {
  const foreign = await ingestHarness({ secret: `${SECRET} of somebody else` }).issue();
  const { exchange, send } = ingestHarness({ secret: [`${SECRET} anew`, SECRET] });
  assert.equal((await exchange({ renew: [foreign.token] })).body.error.code, 'bad_token');
  assert.equal((await send({ query: `?relay=${foreign.token}`, body: BYTES })).body.error.code, 'bad_token');
  const old = await ingestHarness().issue();
  assert.equal((await exchange({ renew: [old.token] })).body.uploads[0]?.key, old.key);
});

test('replay: what is no text is no token', async () => {
  const { exchange, issue } = ingestHarness();
  const { token } = await issue();
  const anything = fc.oneof(fc.constantFrom([token], { token }, null, true), fc.jsonValue());
  await fc.assert(
    fc.asyncProperty(anything, fc.constantFrom('renew', 'confirm'), async (value, list) => {
      const { status, body } = await exchange({ [list]: [value] } as never);
      assert.equal(status, 400);
      assert.match(body.error.code, typeof value === 'string' ? /^bad_token|malformed$/ : /^malformed$/);
    }),
  );
});

test('replay: a receipt with the token of another key is none', async () => {
  const told: unknown[] = [];
  const { exchange, issue } = ingestHarness({ onStored: (receipts) => told.push(receipts) });
  const [one, two] = [await issue(), await issue()];
  const receipt = { key: two.key, token: one.token, spanCount: 1, bytes: 1, traces: [] };
  assert.equal((await exchange({ stored: [receipt], want: 1 })).status, 200);
  assert.deepEqual(told, []);
});
