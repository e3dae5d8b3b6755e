import assert from 'node:assert/strict';
import { test } from 'node:test';
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
