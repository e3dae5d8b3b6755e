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
    'r2',
    's3',
    'workersRateLimit',
  ]);
});
