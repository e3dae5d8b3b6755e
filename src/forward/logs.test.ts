/** Objects of logs on their way to a backend, beside those of traces. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  type Answerer,
  type Backend,
  backend,
  gzipped,
  type Json,
  keyOf,
  nanosAt,
  objectOf,
  RECEIVED_AT,
  span,
  testSender,
  traceId,
} from '../testing/forward.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { FULL_LOGS } from '../testing/otlp-requests.js';
import type { BatchResult } from './batch.js';
import { forward } from './forward.js';
import type { BatchSenderOptions } from './sender-options.js';

const servers: Backend[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function setUp(answer?: Answerer, options: Partial<BatchSenderOptions> = {}) {
  const server = await backend(answer);
  servers.push(server);
  return { server, sender: testSender({ url: server.url, ...options }) };
}

const keyOfLogs = (n: number, project?: string) => keyOf(n, project).replace('traces_', 'logs_');
const record = (n: number, fields: object = {}): Json => ({
  timeUnixNano: nanosAt(-10),
  severityNumber: 9,
  body: { stringValue: `record ${n}` },
  ...fields,
});
const request = (logRecords: Json[]): Json => ({
  resourceLogs: [{ resource: { attributes: [] }, scopeLogs: [{ scope: { name: 'tests' }, logRecords }] }],
});
const logsOf = (n: number, records: Json[]) => ({
  key: keyOfLogs(n),
  bytes: gzipped(JSON.stringify(request(records))),
});
const recordsIn = (json: Json): Json[] =>
  (json.resourceLogs ?? []).flatMap(({ scopeLogs = [] }: Json) =>
    scopeLogs.flatMap(({ logRecords = [] }: Json) => logRecords),
  );
const bodies = (server: Backend): string[] =>
  server.received.flatMap(({ json }) => recordsIn(json).map(({ body }: Json) => body.stringValue));
const fates = ({ results }: BatchResult): string[] =>
  results.map(({ status, reason }) => (reason ? `${status} ${reason}` : status));

test('batch sender: logs go to /v1/logs and traces to /v1/traces, each answered for in its place', async () => {
  const { server, sender } = await setUp();
  const batch = [logsOf(0, [record(0), record(1)]), objectOf(1, [span(1, 1)]), logsOf(2, [record(2)])];
  const result = await sender.send(batch);
  assert.deepEqual(
    result.results.map(({ key, status, spanCount }) => [key, status, spanCount]),
    [
      [keyOfLogs(0), 'sent', 2],
      [keyOf(1), 'sent', 1],
      [keyOfLogs(2), 'sent', 1],
    ],
  );
  assert.deepEqual(
    server.received.map(({ url }) => url),
    ['/v1/traces', '/v1/logs'],
  );
  assert.equal(result.requestCount, 2);
  assert.equal(
    result.byteCount,
    server.received.reduce((sum, { bytes }) => sum + bytes.length, 0),
  );
  assert.deepEqual(bodies(server), ['record 0', 'record 1', 'record 2']);
  const [{ resource }] = server.received[1]?.json.resourceLogs ?? [];
  assert.deepEqual(resource.attributes[0], {
    key: 'spandrel.ingest.project',
    value: { stringValue: 'shop' },
  });
});

test('batch sender: what rewrites requests of traces is not asked about logs', async () => {
  const asked: string[] = [];
  const { server, sender } = await setUp(undefined, { rewrite: (_, key) => asked.push(key) });
  const result = await sender.send([logsOf(0, [record(0)]), objectOf(1, [span(1, 1)])]);
  assert.deepEqual(fates(result), ['sent', 'sent']);
  assert.deepEqual(asked, [keyOf(1)]);
  assert.deepEqual(bodies(server), ['record 0']);
});

test('batch sender: a record that says the same as another is another', async () => {
  const { server, sender } = await setUp();
  const same = record(7, { traceId: traceId(1) });
  const result = await sender.send([logsOf(0, [same, same]), logsOf(1, [same])]);
  assert.deepEqual(fates(result), ['sent', 'sent']);
  assert.deepEqual(bodies(server), ['record 7', 'record 7', 'record 7']);
});

test('batch sender: every field of a record arrives', async () => {
  const { server, sender } = await setUp(undefined, { stamp: { attributes: {} }, badTimes: 'keep' });
  await sender.send([{ key: 'elsewhere/logs_x.json.gz', bytes: gzipped(JSON.stringify(FULL_LOGS)) }]);
  assert.deepEqual(server.received[0]?.json, FULL_LOGS);
});

test('batch sender: without a stamp stored logs go as they are', async () => {
  const { server, sender } = await setUp(undefined, { stamp: false });
  const object = logsOf(0, [record(0)]);
  await sender.send([object]);
  assert.ok(server.received[0]?.bytes.equals(object.bytes));
});

test('batch sender: times of records are brought near, or put aside, or kept', async () => {
  const bad = record(0, { timeUnixNano: '5', observedTimeUnixNano: nanosAt(-3) });
  const lost = record(1, { timeUnixNano: '18446744073709551615' });
  const unknown = record(2, { timeUnixNano: '0' });
  const { server, sender } = await setUp();
  assert.deepEqual(fates(await sender.send([logsOf(0, [bad, lost, unknown])])), ['sent']);
  const records = recordsIn(server.received[0]?.json);
  const mark = { key: 'spandrel.ingest.time_clamped', value: { boolValue: true } };
  assert.deepEqual(
    records.map(({ timeUnixNano, attributes }) => [timeUnixNano, attributes]),
    [
      [nanosAt(-3), [mark]],
      [`${RECEIVED_AT}000000`, [mark]],
      ['0', undefined],
    ],
  );
  const strict = await setUp(undefined, { badTimes: 'quarantine' });
  const result = await strict.sender.send([logsOf(0, [record(0), lost]), logsOf(1, [unknown])]);
  assert.deepEqual(fates(result), ['quarantine not-otlp', 'sent']);
  const words = '$.resourceLogs[0].scopeLogs[0].logRecords[1] has times that no clock shows';
  assert.equal(result.results[0]?.message, words);
});

test('batch sender: what is no request of logs is put aside, and an object that is refused is found', async () => {
  const { server, sender } = await setUp(({ json, url }, response) => {
    const isBad = recordsIn(json).some(({ body }: Json) => body.stringValue === 'record 3');
    response.writeHead(url === '/v1/logs' && isBad ? 400 : 200).end('{}');
  });
  const traces = { key: keyOfLogs(9), bytes: objectOf(9, [span(9, 9)]).bytes };
  const wrong = logsOf(8, [record(8, { severityNumber: 99 })]);
  const some = Array.from({ length: 6 }, (_, n) => logsOf(n, [record(n)]));
  const result = await sender.send([...some, wrong, traces]);
  const expected = Array(6).fill('sent');
  expected[3] = 'quarantine refused';
  assert.deepEqual(fates(result), [...expected, 'quarantine not-otlp', 'quarantine not-otlp']);
  assert.ok(server.received.every(({ url }) => url === '/v1/logs'));
});

test('batch sender: a backend that takes no logs gets its traces, and the logs stay', async () => {
  const { sender, server } = await setUp(({ url }, response) =>
    response.writeHead(url === '/v1/logs' ? 404 : 200).end('{}'),
  );
  const result = await sender.send([logsOf(0, [record(0)]), objectOf(1, [span(1, 1)])]);
  assert.deepEqual(fates(result), ['retry', 'sent']);
  assert.equal(server.taken.length, 1);
});

test('batch sender: a partial success of logs is counted', async () => {
  const partialSuccess = { rejectedLogRecords: '1', errorMessage: 'one too many' };
  const { sender } = await setUp((_, response) => response.end(JSON.stringify({ partialSuccess })));
  const { results } = await sender.send([logsOf(0, [record(0), record(1)])]);
  assert.deepEqual(
    results.map(({ status, rejectedCount, message }) => [status, rejectedCount, message]),
    [['sent', 1, 'one too many']],
  );
});

test('forward: takes logs too, once, or leaves them where they are not asked for', async () => {
  const { server } = await setUp();
  const storage = memoryStorage();
  storage.objects.set(keyOfLogs(0), logsOf(0, [record(0)]).bytes);
  storage.objects.set(keyOf(1), objectOf(1, [span(1, 1)]).bytes);
  const pass = (signals?: ('traces' | 'logs')[]) =>
    forward({
      ...{ storage, to: { url: server.url }, after: 'keep', now: () => RECEIVED_AT + 600_000 },
      ...(signals ? { signals } : {}),
    });
  const first = await pass(['traces']);
  assert.deepEqual([first.sent, first.skipped], [1, 1]);
  const second = await pass();
  assert.deepEqual([second.sent, second.alreadyDone, second.spans, second.logRecords], [1, 1, 0, 1]);
  const third = await pass();
  assert.deepEqual([third.sent, third.alreadyDone], [0, 2]);
  assert.deepEqual(
    server.received.map(({ url }) => url),
    ['/v1/traces', '/v1/logs'],
  );
  const options = { storage, to: { url: server.url }, after: 'keep', signals: [] } as const;
  await assert.rejects(forward(options), /option "signals" got an array/);
  const notes = [...storage.objects].filter(([key]) => key.startsWith('spandrel-state/done/'));
  const texts = notes.map(([, bytes]) => new TextDecoder().decode(bytes));
  assert.ok(
    texts.some((text) => text.includes('/logs_')),
    texts.join(),
  );
  assert.ok(
    notes.every(([key]) => !key.includes('000000000000-ffffffffffff')),
    'by its time',
  );
  assert.equal(
    gunzipSync(server.received[1]?.bytes ?? '')
      .toString()
      .includes('record 0'),
    true,
  );
});
