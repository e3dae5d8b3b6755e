import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageError } from '../server/storage.js';
import { testBucket } from '../testing/bucket.js';
import { patientStorage, wait } from './patient-storage.js';

const passing = [undefined, 200, 206, 408, 429, 500, 503];
const lasting = [400, 401, 403, 404, 409, 411];

function failing(error: unknown, signal?: AbortSignal) {
  let asked = 0;
  const waits: number[] = [];
  const view = testBucket().view({
    before: () => {
      asked += 1;
      throw error;
    },
  });
  const storage = patientStorage(view, signal, async (millis) => void waits.push(millis));
  return { storage, waits, asked: () => asked };
}

test('patient storage: passing troubles are tried four times in all, with growing waits, each method', async () => {
  for (const httpStatus of passing) {
    const error = new StorageError('down', httpStatus === undefined ? {} : { httpStatus });
    await fourTimes(error);
  }
  // Of a store of the user's own: its `fetch` failed, or its library's words for it.
  await fourTimes(new TypeError('fetch failed'));
  await fourTimes(Object.assign(new Error('SlowDown'), { name: 'ServiceUnavailable' }));
  await fourTimes('down');
  await fourTimes(undefined);

  async function fourTimes(error: unknown): Promise<void> {
    for (const method of ['put', 'list', 'get', 'delete'] as const) {
      const { storage, waits, asked } = failing(error);
      const call = method === 'put' ? storage.put('key', new Uint8Array(1)) : storage[method]('key');
      const [outcome] = await Promise.allSettled([call]);
      assert.deepEqual(outcome, { status: 'rejected', reason: error });
      assert.equal(asked(), 4);
      const [first = 0, second = 0, third = 0] = waits;
      assert.equal(waits.length, 3);
      assert.ok(
        first >= 200 && first <= 400 && second >= 400 && second <= 800 && third >= 800 && third <= 1_600,
      );
    }
  }
});

test('patient storage: what will not pass is told at once', async () => {
  const errors = [
    ...lasting.map((httpStatus) => new StorageError('no', { httpStatus })),
    new StorageError('too large', { tooLarge: true }),
    // Of another copy of the package.
    Object.assign(new Error('no'), { code: 'SPANDREL_STORAGE', httpStatus: 403, tooLarge: false }),
  ];
  for (const error of errors) {
    const { storage, asked } = failing(error);
    await assert.rejects(storage.get('key'), error);
    assert.equal(asked(), 1);
  }
});

test('patient storage: has no patience once it is told to end', async () => {
  const error = new StorageError('down');
  const { storage, asked } = failing(error, AbortSignal.abort());
  await assert.rejects(storage.get('key'), error);
  assert.equal(asked(), 1);
});

test('waiting: ends at the signal, and leaves no listener and no timer', async () => {
  const controller = new AbortController();
  const waiting = wait(3_600_000, controller.signal);
  controller.abort();
  await waiting;
  await wait(3_600_000, controller.signal);
  await wait(0, undefined);
});
