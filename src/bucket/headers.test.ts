import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertLedger, testClient } from '../testing/client.js';
import { ENDPOINT, isExchange, isUpload } from '../testing/cloud.js';
import { settle, until } from '../testing/platform.js';
import { bucket } from './bucket.js';

const said = ({ init }: { init: RequestInit }) => new Headers(init.headers).get('authorization');

test('headers: said for each request to the endpoint, and never to the bucket', async () => {
  let count = 0;
  const client = testClient({ served: true, headers: () => ({ authorization: `t${++count}` }) });
  for (let trace = 0; trace < 2; trace++) {
    client.endTrace(2);
    await client.platform.advance(40_000);
    await until(() => client.cloud.objects.size > trace);
  }
  await client.platform.advance(70_000);
  const asked = client.platform.requests.filter(isExchange).map(said);
  assert.ok(asked.length >= 3);
  assert.equal(new Set(asked).size, asked.length);
  assert.ok(asked.every((one) => /^t\d+$/.test(one ?? '')));
  assert.deepEqual(client.platform.requests.filter(isUpload).map(said), [null, null]);
});

test('headers: a leaving page has fetch in place of beacons, and the relay and the message carry them', async () => {
  const client = testClient({ served: true, headers: { authorization: 'x' } });
  client.endTrace(3);
  client.platform.page('leaving');
  await settle();
  assert.equal(client.platform.beacons.length, 0);
  const [relay, message] = client.platform.requests;
  for (const request of [relay, message]) {
    assert.ok(request);
    assert.deepEqual([said(request), request.init.keepalive], ['x', true]);
  }
  assert.equal(client.cloud.spanIds().length, 3);
});

test('headers: a function that throws loses nothing and reaches nobody', async () => {
  let isDown = true;
  const headers = () => {
    if (isDown) throw new Error('no token yet');
    return { authorization: 'x' };
  };
  const client = testClient({ headers });
  client.platform.onRequest = (request) =>
    said(request) || isUpload(request)
      ? void client.cloud.answer(request)
      : request.answer({ status: 401, body: '' });
  client.endTrace(2);
  await client.platform.advance(30_000);
  assert.equal(client.processor.stats().spans.waiting, 2);
  isDown = false;
  for (let tries = 0; tries < 20 && client.cloud.objects.size === 0; tries++)
    await client.platform.advance(30_000);
  assert.equal(client.cloud.spanIds().length, 2);
  assertLedger(client.processor.stats(), 2);
});

test('headers: what is no object and no function is refused by name', () => {
  for (const headers of ['x', 7, null, true])
    assert.throws(() => bucket({ endpoint: ENDPOINT, headers } as never), /option "headers" takes an object/);
});
