/** Blobs of logs by protocol 2: the same as those of traces, under names of their own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { StoredReceipt } from '../protocol.js';
import { blobHarness, datedKey, GZIP, idAt, JSON_TEXT } from '../testing/blob-harness.js';

const LOGS = '{"resourceLogs":[{"scopeLogs":[]}]}';
const LOGS_GZIP = new Uint8Array(gzipSync(LOGS));
const keyOfLogs = (id: string): string => datedKey(id).replace('traces_', 'logs_');

test('blobs of logs: uploads, looks, relays and receipts are of the key of logs', async () => {
  const told: StoredReceipt[] = [];
  const { exchange, relay, storage } = blobHarness({
    onStored: (receipts) => void told.push(...receipts),
  });
  const [logs, traces] = [idAt(), idAt()];
  const wants = [
    { id: logs, bytes: 100, signal: 'logs' as const },
    { id: traces, bytes: 100 },
  ];
  const { uploads } = (await exchange({ wants })).body;
  const urlOf = (id: string) => (uploads.find((upload) => upload.id === id) as { url: string }).url;
  assert.ok(urlOf(logs).includes(keyOfLogs(logs)));
  assert.ok(urlOf(traces).includes(datedKey(traces)));

  for (const body of [LOGS_GZIP, LOGS]) {
    const id = idAt();
    assert.equal((await relay(id, body, {}, '&signal=logs')).body.created, true);
    assert.equal((await relay(id, body, {}, '&signal=logs')).body.created, false);
    const bytes = storage.objects.get(keyOfLogs(id)) ?? new Uint8Array();
    assert.equal(gunzipSync(bytes).toString(), LOGS);
    const again = [{ id, bytes: 9, again: true as const, signal: 'logs' as const }];
    assert.deepEqual((await exchange({ wants: again })).body.uploads, [{ id, stored: true }]);
    const other = [{ id, bytes: 9, again: true as const }];
    assert.equal('url' in ((await exchange({ wants: other })).body.uploads[0] ?? {}), true);
  }

  const receipt = {
    id: logs,
    signal: 'logs' as const,
    spanCount: 0,
    logRecordCount: 3,
    bytes: 100,
    traces: [],
  };
  await exchange({ stored: [receipt] });
  assert.deepEqual(told, [
    { key: keyOfLogs(logs), token: '', spanCount: 0, logRecordCount: 3, bytes: 100, traces: [] },
  ]);
});

test('blobs of logs: one signal is not the other, and there are no more', async () => {
  const { exchange, relay, storage } = blobHarness();
  assert.equal((await relay(idAt(), GZIP, {}, '&signal=logs')).status, 400);
  assert.equal((await relay(idAt(), JSON_TEXT, {}, '&signal=logs')).status, 400);
  assert.equal((await relay(idAt(), LOGS_GZIP)).status, 400);
  assert.equal((await relay(idAt(), GZIP, {}, '&signal=metrics')).status, 400);
  const wants = [{ id: idAt(), bytes: 9, signal: '../x' as 'logs' }];
  const { status, body } = await exchange({ wants });
  assert.equal(status, 400);
  assert.match(body.error.message, /signal takes "logs", or nothing/);
  assert.equal(storage.objects.size, 0);
});
