import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forward } from '../forward/forward.js';
import { testSender, traceKey } from '../testing/bucket.js';
import { type IngestHarness, ingestHarness } from '../testing/ingest-harness.js';
import { storageDown } from '../testing/memory-storage.js';
import { type DoneNames, mayHold, readManifest, timesOf, writeManifest } from './forwarded.js';

const GZIP = new Uint8Array([31, 139]);

async function forwardAll({ storage, clock }: IngestHarness, statePrefix = 'spandrel-state') {
  return forward({
    ...{ storage, sender: testSender(), after: 'delete', statePrefix },
    now: () => clock.nowMillis,
  });
}

test('confirm: an object that was forwarded and deleted is stored, one that never came is not', async () => {
  const harness = ingestHarness();
  const [sent, lost] = [await harness.issue(), await harness.issue()];
  harness.storage.objects.set(sent.key, GZIP);
  assert.equal((await forwardAll(harness)).sent, 1);
  assert.ok(!harness.storage.objects.has(sent.key));
  const { body } = await harness.exchange({ confirm: [sent.token, lost.token] });
  assert.deepEqual(body.confirmed, [
    { token: sent.token, stored: true },
    { token: lost.token, stored: false },
  ]);
});

test('confirm: where an object lies, nobody looks into notes; where many do not, notes are looked into once', async () => {
  const harness = ingestHarness();
  const uploads = [];
  for (let count = 0; count < 30; count += 1) uploads.push(await harness.issue());
  for (const { key } of uploads) harness.storage.objects.set(key, GZIP);
  const confirm = uploads.map(({ token }) => token);
  const notes = () => harness.storage.calls.filter((call) => call.includes('spandrel-state')).length;
  await harness.exchange({ confirm });
  assert.equal(notes(), 0);
  await forwardAll(harness);
  harness.storage.calls.length = 0;
  const { body } = await harness.exchange({ confirm });
  assert.ok(body.confirmed.every(({ stored }) => stored));
  assert.equal(body.confirmed.length, 30);
  assert.equal(notes(), 2);
});

test('confirm: asks 45 questions in all, and leaves out what it could not find out', async () => {
  const harness = ingestHarness();
  const confirm: string[] = [];
  for (let count = 0; count < 40; count += 1) {
    confirm.push((await harness.issue()).token);
    harness.clock.nowMillis += 60_000;
  }
  harness.storage.calls.length = 0;
  const { body } = await harness.exchange({ confirm });
  assert.equal(harness.storage.calls.length, 45);
  // Each is of a minute of its own, and takes two.
  assert.ok(body.confirmed.length >= 20 && body.confirmed.length <= 22, String(body.confirmed.length));
});

test('confirm: notes that cannot be read are no answer', async () => {
  const harness = ingestHarness();
  const { token } = await harness.issue();
  harness.storage.list = () => Promise.reject(storageDown());
  const { body } = await harness.exchange({ confirm: [token] });
  assert.deepEqual(body.confirmed, []);
  assert.equal(harness.errors.length, 1);
});

test('confirm: notes that are being made into one are no answer', async () => {
  const harness = ingestHarness();
  const { key, token } = await harness.issue();
  harness.storage.objects.set(key, GZIP);
  await forwardAll(harness);
  const { get } = harness.storage;
  harness.storage.get = () => Promise.resolve(undefined);
  assert.deepEqual((await harness.exchange({ confirm: [token] })).body.confirmed, []);
  harness.storage.get = get;
  assert.deepEqual((await harness.exchange({ confirm: [token] })).body.confirmed, [{ token, stored: true }]);
});

test('confirm: statePrefix is where forward notes, or false', async () => {
  const elsewhere = ingestHarness({ statePrefix: 'state/of/traces' });
  const { key, token } = await elsewhere.issue();
  elsewhere.storage.objects.set(key, GZIP);
  await forwardAll(elsewhere, 'state/of/traces');
  assert.deepEqual((await elsewhere.exchange({ confirm: [token] })).body.confirmed, [
    { token, stored: true },
  ]);

  const none = ingestHarness({ statePrefix: false });
  const missing = await none.issue();
  none.storage.calls.length = 0;
  await none.exchange({ confirm: [missing.token] });
  assert.deepEqual(none.storage.calls, [`head ${missing.key}`]);
  assert.throws(() => ingestHarness({ statePrefix: 'a//b' }), /option "statePrefix" got "a\/\/b"/);
});

test('notes: names come back as they were written, whatever they are', async () => {
  const { storage } = ingestHarness();
  const done: DoneNames = new Map([
    [traceKey(1, 1).split('/').at(-1) ?? '', 'sent'],
    ['traces_123456789.json.gz', 'sent'],
    ['ünï\n"quoted".json.gz', 'quarantined'],
    ['__proto__', 'left'],
    ['/', 'left'],
  ]);
  storage.objects.set('note', writeManifest(done));
  const read: DoneNames = new Map();
  assert.equal(await readManifest(storage, 'note', read), true);
  assert.deepEqual(read, done);
  assert.equal(await readManifest(storage, 'other', read), false);
});

test('notes: what is no note says nothing', async () => {
  const { storage } = ingestHarness();
  for (const text of ['', 'null', '[]', '{', '{"v":1,"sent":{"length":3}}', '{"sent":[1,null,{}]}']) {
    storage.objects.set('note', new TextEncoder().encode(text));
    const read: DoneNames = new Map();
    assert.equal(await readManifest(storage, 'note', read), true);
    assert.equal(read.size, 0, text);
  }
});

test('notes: the key tells which names may be in one', () => {
  const names = [5_000, 7_000, 6_000].map((atMillis) => traceKey(atMillis, 1).split('/').at(-1) ?? '');
  const key = `spandrel-state/done/x/${timesOf(names)}-id.json`;
  for (const name of names) assert.ok(mayHold(key, name));
  for (const atMillis of [4_999, 7_001])
    assert.ok(!mayHold(key, traceKey(atMillis, 1).split('/').at(-1) ?? ''));
  assert.ok(mayHold(key, 'odd.json.gz'));
  const odd = `spandrel-state/done/x/${timesOf([...names, 'odd.json.gz'])}-id.json`;
  assert.ok(mayHold(odd, traceKey(9_000, 1).split('/').at(-1) ?? ''));
});
