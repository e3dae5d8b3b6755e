import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type R2Bucket, r2 } from './r2.js';
import { s3 } from './s3.js';
import { StorageError } from './storage.js';

const never = (): Promise<never> => new Promise(() => undefined);

/** A bucket on which every method does the same. */
function bucketThat(answer: () => Promise<never>): R2Bucket {
  return { put: answer, head: answer, get: answer, list: answer, delete: answer };
}

const callsOf = (storage: ReturnType<typeof r2>) => [
  () => storage.put('a', new Uint8Array(1)),
  () => storage.head('a'),
  () => storage.get('a'),
  () => storage.list('a'),
  () => storage.delete('a'),
];

test('r2: what a binding throws is a StorageError with its code, and what it said is the cause', async () => {
  const thrown = new Error('get: Internal error at https://secret.example. (10001)');
  for (const call of callsOf(r2(bucketThat(() => Promise.reject(thrown))))) {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof StorageError);
      assert.match(error.message, /^the R2 binding answered \w+ with error 10001$/);
      assert.equal(error.cause, thrown);
      return true;
    });
  }
});

test('r2: a method that throws at once, without a code, is a StorageError', async () => {
  const bucket = bucketThat(() => {
    throw new TypeError('Network connection lost');
  });
  for (const call of callsOf(r2(bucket))) {
    await assert.rejects(call, { name: 'StorageError', message: /^the R2 binding failed at \w+$/ });
  }
});

test('r2: a binding that never answers is given up, in the middle of a body too', async () => {
  const options = { timeoutMillis: 5 };
  for (const call of callsOf(r2(bucketThat(never), options))) {
    await assert.rejects(call, { name: 'StorageError', message: /did not answer/ });
  }
  const object = { key: 'a', size: 9, httpEtag: '""', uploaded: new Date(0), body: new ReadableStream() };
  const stuck = { ...bucketThat(never), get: async () => object };
  await assert.rejects(r2(stuck, options).get('a'), { message: /did not answer get/ });
});

test('r2: a call that has ended leaves no timer', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  for (const call of callsOf(r2(bucketThat(() => Promise.reject(new Error()))))) await assert.rejects(call);
  assert.equal(timers(), before);
});

test('r2: a condition that failed is an object that exists, however it is told', async () => {
  const failing = bucketThat(() => Promise.reject(new Error('put: At least one … did not hold. (10031)')));
  assert.equal(await r2(failing).put('a', new Uint8Array(1)), 'exists');
  const refusing = { ...bucketThat(never), put: async () => null };
  assert.equal(await r2(refusing).put('a', new Uint8Array(1)), 'exists');
});

test('r2: signs nothing by itself, and as the s3() that it is given', async () => {
  const bucket = bucketThat(never);
  const alone = r2(bucket);
  assert.equal(alone.presign, undefined);
  assert.equal(alone.uploadLength, undefined);
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
  const presign = s3({ endpoint: 'https://store.example', bucket: 'traces', ...credentials });
  const storage = r2(bucket, { presign });
  assert.equal(storage.uploadLength, 'exact');
  const upload = await storage.presign?.('a', { expiresInSeconds: 60 });
  assert.match(upload?.url ?? '', /^https:\/\/store\.example\/traces\/a\?/);
});

test('r2: what is no bucket, and unusable options, are named', () => {
  const bucket = bucketThat(never);
  const { list, ...namespace } = bucket;
  for (const binding of [undefined, null, {}, namespace]) {
    assert.throws(() => r2(binding as R2Bucket), /TypeError.*"binding".*"r2_buckets"/s);
  }
  assert.throws(() => r2(bucket, { presign: {} as never }), /"presign"/);
  assert.throws(() => r2(bucket, { timeoutMillis: 0 }), /"timeoutMillis"/);
});
