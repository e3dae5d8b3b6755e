import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testClient as oldClient } from '../testing/client.js';
import { testOrigin } from '../testing/origin.js';
import { settle, until } from '../testing/platform.js';
import { assertLedger, testClient } from './testing/client.js';

test('next: a trace becomes one object, and the server is told', async () => {
  const client = testClient({ served: true });
  client.endTrace(3);
  await client.platform.advance(3_000);
  await until(() => client.cloud.objects.size > 0);
  assert.equal(client.cloud.spanIds().length, 3);
  await client.platform.advance(40_000);
  assert.equal(client.cloud.receipts.length, 1);
  assertLedger(client.processor.stats(), 3);
  assert.deepEqual(client.platform.exceptions, []);
});

test('next: what a page leaves is adopted and stored', async () => {
  const origin = testOrigin();
  const first = testClient({ origin });
  first.endTrace(3);
  await first.platform.advance(300);
  first.platform.crash();
  const second = testClient({ origin, served: true, cloud: first.cloud, seed: 7 });
  await second.platform.advance(5_000);
  await until(() => first.cloud.objects.size > 0);
  assert.equal(first.cloud.spanIds().length, 3);
  await second.platform.advance(60_000);
  assertLedger(second.processor.stats(), 0);
  assert.deepEqual(origin.keys(), []);
});

test('next: a leaving page sends a beacon', async () => {
  const origin = testOrigin();
  const client = testClient({ origin, served: true });
  client.endTrace(3);
  client.platform.page('leaving');
  await settle();
  assert.equal(client.cloud.spanIds().length, 3);
});

test('next: what version 0.1.0 left is stored once: blobs, spans in no blob, last words', async () => {
  for (const end of ['crash', 'leaves', 'blob']) {
    const origin = testOrigin();
    const old = oldClient({ origin });
    old.endTrace(3);
    await old.platform.advance(end === 'blob' ? 8_000 : 300);
    if (end === 'leaves') {
      origin.storeHangs = true;
      old.platform.takesBeacons = false;
      old.platform.page('leaving');
      await settle();
      origin.storeHangs = false;
    }
    const left = origin.keys().filter(([lane]) => lane?.startsWith('to '));
    assert.ok(left.length > 0, end);
    old.platform.crash();
    const client = testClient({ origin, served: true, seed: 7, nowMillis: old.platform.now() });
    await client.platform.advance(5_000);
    await until(() => client.cloud.objects.size > 0);
    await client.platform.advance(60_000);
    assert.equal(client.cloud.spanIds().length, 3, end);
    assertLedger(client.processor.stats(), 0);
    assert.deepEqual(
      origin.keys().filter(([first]) => first !== 'taken'),
      [],
      end,
    );
    assert.deepEqual([...origin.notes.keys()], [], end);
  }
});
