import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blobHarness, GZIP, idAt } from '../testing/blob-harness.js';
import { ingestHarness, SECRET } from '../testing/ingest-harness.js';

/** A store that a client of protocol 1 has used, and an endpoint that speaks both. */
async function upgraded() {
  const old = ingestHarness();
  const both = blobHarness({ secret: SECRET, storage: old.storage });
  const ask = async (id: string, token: unknown, project = {}) => {
    const { status, body } = await both.exchange({ ...project, wants: [{ id, bytes: 9, token } as never] });
    const [upload] = body.uploads ?? [];
    return upload === undefined ? status : 'stored' in upload ? 'stored' : 'url' in upload ? 'url' : 'no';
  };
  return { old, both, ask };
}

test("blob upgrade: a token's object is the blob, and is looked for first", async () => {
  const { old, ask } = await upgraded();
  const { token, key } = await old.issue();
  const id = idAt();
  assert.equal(await ask(id, token), 'url', 'not there yet');
  await old.send({ query: `?relay=${token}`, body: GZIP });
  old.storage.calls.length = 0;
  assert.equal(await ask(id, token), 'stored');
  assert.equal(old.storage.calls[0], `head ${key}`);
  assert.equal(await ask(idAt(), ''), 'url', 'of others nothing is said');
});

test('blob upgrade: what went by the relay under its own id is found without a token', async () => {
  const { old, ask, both } = await upgraded();
  const id = idAt();
  await old.send({ query: `?relay=&blob=${id}`, body: GZIP });
  assert.equal(await ask(id, ''), 'stored');
  assert.equal(await ask(id, 'forged.token'), 'stored');
  old.storage.calls.length = 0;
  const wants = [{ id, bytes: 9, again: true as const }];
  assert.ok('url' in ((await both.exchange({ wants })).body.uploads[0] ?? {}));
  assert.equal(old.storage.calls.filter((call) => call.startsWith('head')).length, 2, 'as nobody said so');
});

test('blob upgrade: tokens that are none, or of another project, are nothing; texts only', async () => {
  const projects = { pk_a: { name: 'a' }, pk_b: { name: 'b' } };
  const all = { projects, allowedOrigins: '*' as const };
  const old = ingestHarness(all);
  const { token } = await old.issue('pk_a');
  await old.send({ query: `?relay=${token}`, body: GZIP });
  const both = blobHarness({ ...all, secret: SECRET, storage: old.storage });
  const ask = async (project: string, said: unknown) => {
    const wants = [{ id: idAt(), bytes: 9, token: said } as never];
    const { status, body } = await both.exchange({ project, wants });
    return status === 200 ? Object.keys(body.uploads[0] ?? {}).includes('stored') : status;
  };
  assert.equal(await ask('pk_a', token), true);
  assert.equal(await ask('pk_b', token), false);
  for (const bad of [7, null, {}, 'x'.repeat(1_025)]) assert.equal(await ask('pk_a', bad), 400);
  const without = blobHarness({ ...all, storage: old.storage });
  const wants = [{ id: idAt(), bytes: 9, token }];
  const { body } = await without.exchange({ project: 'pk_a', wants });
  assert.ok('url' in (body.uploads[0] ?? {}), 'without a secret there are no tokens');
});
