import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENDPOINT, SECRET } from '../testing/ingest-harness.js';
import { memoryStorage } from '../testing/memory-storage.js';
import { createIngest } from './ingest.js';
import type { IngestOptions } from './ingest-options.js';
import { memoryQuota } from './memory-quota.js';

const GOOD: IngestOptions = { storage: memoryStorage(), secret: SECRET, allowedOrigins: [] };

const STORE = memoryQuota();

const BAD: [string, Partial<Record<keyof IngestOptions, unknown>>][] = [
  ['storage', { storage: undefined }],
  ['storage', { storage: { put: () => undefined } }],
  ['secret', { secret: undefined }],
  ['secret', { secret: 'hunter2' }],
  ['secret', { secret: [] }],
  ['secret', { secret: [SECRET, 'hunter2'] }],
  ['allowedOrigins', { allowedOrigins: undefined }],
  ['allowedOrigins', { allowedOrigins: 'https://shop.example' }],
  ['allowedOrigins', { allowedOrigins: ['https://shop.example/'] }],
  ['allowedOrigins', { allowedOrigins: ['shop.example'] }],
  ['allowedOrigins', { allowedOrigins: ['*'] }],
  ['projects', { projects: [] }],
  ['projects', { projects: 'shop' }],
  ['projects.a/b.name', { projects: ['a/b'] }],
  ['projects.7.name', { projects: [7] }],
  ['projects.pk', { projects: { pk: 'shop' } }],
  ['projects.pk.name', { projects: { pk: { name: '..' } } }],
  ['projects.pk.allowedOrigins', { projects: { pk: { name: 'shop', allowedOrigins: ['x'] } } }],
  ['project', { project: '' }],
  ['prefix', { prefix: '/otlp' }],
  ['prefix', { prefix: 7 }],
  ['environment', { environment: 'a/b' }],
  ['environment', { environment: 7 }],
  ['urlExpirySeconds', { urlExpirySeconds: 604_801 }],
  ['urlExpirySeconds', { urlExpirySeconds: '900' }],
  ['tokenMaxAgeSeconds', { tokenMaxAgeSeconds: 59 }],
  ['maxUploads', { maxUploads: -1 }],
  ['maxUploads', { maxUploads: Number.NaN }],
  ['maxUploadBytes', { maxUploadBytes: 1_023 }],
  ['maxUploadBytes', { maxUploadBytes: 2 ** 30 + 1 }],
  ['maxUploadBytes', { maxUploadBytes: true }],
  ['maxBodyBytes', { maxBodyBytes: 1.5 }],
  ['maxRelayBytes', { maxRelayBytes: 0 }],
  ['maxInflatedBytes', { maxInflatedBytes: Number.POSITIVE_INFINITY }],
  ['maxInflateRatio', { maxInflateRatio: 0 }],
  ['storage.presign', { storage: { ...memoryStorage(), presign: true } }],
  ['bodyTimeoutMillis', { bodyTimeoutMillis: 99 }],
  ['hookTimeoutMillis', { hookTimeoutMillis: 25_001 }],
  ['serverTiming', { serverTiming: 'off' }],
  ['onLog', { onLog: 'x' }],
  ['quota', { quota: 5 }],
  ['quota', { quota: { store: STORE } }],
  ['quota.store', { quota: { store: {}, perPage: { objects: 1 } } }],
  ['quota.store', { quota: { perPage: { objects: 1 } } }],
  ['quota.windowSeconds', { quota: { store: STORE, perPage: { objects: 1 }, windowSeconds: 9 } }],
  ['quota.timeoutMillis', { quota: { store: STORE, perPage: { objects: 1 }, timeoutMillis: 0 } }],
  ['quota.onFailure', { quota: { store: STORE, perPage: { objects: 1 }, onFailure: 'open' } }],
  ['quota.perPage', { quota: { store: STORE, perPage: 5 } }],
  ['quota.perPage', { quota: { store: STORE, perPage: {} } }],
  ['quota.perPage', { quota: { store: STORE, perPage: { relayedBytes: 1 } } }],
  ['quota.perPage.objects', { quota: { store: STORE, perPage: { objects: -1 } } }],
  ['quota.perProject.bytes', { quota: { store: STORE, perProject: { bytes: '1' } } }],
  ['quota.perSubject.of', { quota: { store: STORE, perSubject: { objects: 1 } } }],
  ['quota.perSubject.of', { quota: { store: STORE, perSubject: { objects: 1, of: 'ip' } } }],
  ['onStored', { onStored: true }],
  ['onPage', { onPage: 'x' }],
  ['onLost', { onLost: 'x' }],
  ['onError', { onError: {} }],
  ['rateLimit', { rateLimit: 5 }],
  ['config', { config: { paused: true } }],
  ['waitUntil', { waitUntil: 1 }],
  ['now', { now: 0 }],
];

for (const [option, change] of BAD) {
  test(`ingest options: ${option} cannot be ${JSON.stringify(Object.values(change)[0])}`, () => {
    assert.throws(
      () => createIngest({ ...GOOD, ...change } as IngestOptions),
      (error) => {
        assert.ok(error instanceof TypeError);
        assert.ok(error.message.includes(`option "${option}" got `), error.message);
        assert.match(error.message, /; it takes ./);
        assert.doesNotMatch(error.message, /hunter2|thirty-two/);
        return true;
      },
    );
  });
}

test('ingest options: a request without Origin passes where all may come, or where it is said', async () => {
  const status = async (options: Partial<IngestOptions>) => {
    const ingest = createIngest({ ...GOOD, ...options });
    return (await ingest(new Request(ENDPOINT, { method: 'POST', body: '{"v":1}' }))).status;
  };
  assert.equal(await status({}), 403);
  assert.equal(await status({ allowedOrigins: () => true }), 403);
  assert.equal(await status({ allowMissingOrigin: true }), 200);
  assert.equal(await status({ allowedOrigins: '*' }), 200);
});
