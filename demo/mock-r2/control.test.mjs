import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exchange, send } from '../testing/client.mjs';
import { startMockR2 } from './mock-r2.mjs';

const PAGE = 'http://shop.example';

/** @type {import('./mock-r2.mjs').MockR2} */
let mock;
before(async () => {
  mock = await startMockR2({ allowedOrigins: [PAGE], ingest: { maxUploadBytes: false } });
});
after(() => mock.close());

/** @param {string} route @param {unknown} [body] @param {string} [type] */
const control = async (route, body, type = 'application/json') => {
  const [method = 'GET', path] = route.split(' ');
  const init = body === undefined ? {} : { headers: { 'content-type': type }, body: JSON.stringify(body) };
  const { status, text } = await send(mock.controlUrl + path, { method, ...init });
  return { status, body: JSON.parse(text) };
};

test('control: sets and clears the faults that are named, and leaves the others', async () => {
  const down = { kind: 'down' };
  const set = await control('POST /faults', { bucket: down, endpoint: { kind: 'status', status: 503 } });
  assert.equal(set.status, 200);
  assert.deepEqual(set.body.bucket, { kind: 'down', strikes: 0 });
  assert.equal((await exchange(mock.endpointUrl, PAGE, {})).status, 503);
  const changed = await control('POST /faults', { endpoint: null });
  assert.deepEqual(changed.body, { bucket: { kind: 'down', strikes: 0 }, store: null, endpoint: null });
  assert.deepEqual((await control('GET /faults')).body, changed.body);
  await control('POST /faults', { bucket: null });
});

test('control: refuses what it does not understand, and what another site could send', async () => {
  for (const body of [{ buckets: null }, { bucket: { kind: 'x' } }, null, 'down']) {
    const { status, body: answer } = await control('POST /faults', body);
    assert.equal(status, 400, JSON.stringify(body));
    assert.equal(typeof answer.error, 'string');
  }
  assert.equal((await control('POST /faults', { bucket: { kind: 'down' } }, 'text/plain')).status, 400);
  assert.deepEqual(mock.faults.current(), { bucket: null, store: null, endpoint: null });
  assert.equal((await control('GET /nothing')).status, 404);
});

test('control: lists and forgets requests, and tells what the endpoint was told', async () => {
  await control('DELETE /requests');
  const counts = { sealed: 1, created: 3, adopted: 0, stored: 2, waiting: 0, dropped: 1, handedOver: 0 };
  const page = { id: '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f', ...counts };
  await exchange(mock.endpointUrl, PAGE, { want: 1, page, lost: { paused: 1 } });
  const { body } = await control('GET /requests?target=endpoint');
  assert.deepEqual(
    body.map((/** @type {any} */ { method, path, status }) => [method, path, status]),
    [['POST', '/spandrel', 200]],
  );
  assert.deepEqual((await control('GET /requests?target=bucket')).body, []);
  assert.deepEqual((await control('DELETE /requests')).body, []);
  const told = { stored: [], page: [page], lost: [{ paused: 1 }], error: [] };
  assert.deepEqual((await control('GET /receipts')).body, told);
  const account = {
    ...{ project: 'default', id: page.id, counts: page, balanced: true, lost: { paused: 1 } },
    ...{ gaps: [{ first: 1, last: 1 }], unconfirmed: [], overflowed: false },
  };
  assert.deepEqual((await control('GET /ledger')).body, { pages: [account], lost: { paused: 1 } });
});
