import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as server from './server.js';

test('spandrel/server: exports these names and no others', () => {
  assert.deepEqual(Object.keys(server).sort(), [
    'QuotaObject',
    'StorageError',
    'createIngest',
    'createLedger',
    'durableObjectQuota',
    'memoryQuota',
    'nodeListener',
    's3',
    'workersRateLimit',
  ]);
});
