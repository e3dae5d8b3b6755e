import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDiagnostics } from '../diagnostics/diagnostics.js';
import { handMadeBlob } from '../testing/blobs.js';
import { settle, testPlatform } from '../testing/platform.js';
import { type R2Binding, type R2Options, r2 } from './r2.js';

const BLOB = { id: '01999999-9999-7999-8999-999999999999', bornAtMillis: Date.UTC(2026, 8, 20, 3, 4, 59) };
const UNDER =
  'year=2026/month=09/day=20/hour=03/minute=04/traces_01999999-9999-7999-8999-999999999999.json.gz';

/** A bucket that answers each put as told; the default keeps what is not there yet. */
function setUp(options?: R2Options, answer?: () => unknown) {
  const platform = testPlatform();
  const diagnostics = createDiagnostics(platform.now, platform.after);
  const objects = new Map<string, Uint8Array>();
  const puts: { key: string; options: unknown }[] = [];
  const world = { platform, diagnostics, objects, puts };
  const binding: R2Binding = {
    async put(key, value, options) {
      puts.push({ key, options });
      if (answer) return answer();
      if (objects.has(key)) return null;
      objects.set(key, value);
      return { key };
    },
    head: () => assert.fail('nobody asks'),
  };
  const destination = r2(binding, options).open({
    ...{ platform, diagnostics, page: '', clockOffset() {}, pause() {}, rules() {} },
    saved: () => assert.fail('there is nothing to save'),
  });
  return Object.assign(world, { destination });
}

test('r2: a blob becomes an object in the Collector’s layout, if there is none yet', async () => {
  const { destination, objects, puts } = setUp();
  const blob = handMadeBlob(BLOB);
  assert.deepEqual(await destination.send(blob), { status: 'stored' });
  const key = `otlp/v1/default/production/${UNDER}`;
  assert.equal(objects.get(key), blob.bytes);
  assert.deepEqual(puts, [
    {
      key,
      options: {
        httpMetadata: { contentType: 'application/gzip' },
        onlyIf: { etagDoesNotMatch: '*' },
      },
    },
  ]);
});

test('r2: prefix, project and environment are segments of the key', async () => {
  const { destination, puts } = setUp({ prefix: 'a/b', project: 'shop', environment: 'dev' });
  await destination.send(handMadeBlob(BLOB));
  assert.equal(puts[0]?.key, `a/b/shop/dev/${UNDER}`);
});

test('r2: what is there already is stored, and the key is the same for life', async () => {
  const { destination, objects, puts, diagnostics } = setUp();
  const blob = handMadeBlob(BLOB);
  for (let attempt = 0; attempt < 3; attempt++) {
    assert.deepEqual(await destination.send(blob), { status: 'stored' });
  }
  assert.equal(objects.size, 1);
  assert.equal(puts.length, 3);
  assert.equal(diagnostics.totals.requests.uploadFailures, 0);
});

for (const [name, bornAtMillis] of [
  ['9 days ago', 1_790_000_000_000 - 9 * 86_400_000],
  ['in two days', 1_790_000_000_000 + 2 * 86_400_000],
  ['after all years', Number.MAX_SAFE_INTEGER],
] as const) {
  test(`r2: a blob that began ${name} has the fixed folder, as the endpoint lays it`, async () => {
    const { destination, puts } = setUp();
    assert.equal((await destination.send(handMadeBlob({ ...BLOB, bornAtMillis }))).status, 'stored');
    assert.match(
      String(puts[0]?.key),
      /^otlp\/v1\/default\/production\/year=1970\/month=01\/day=01\/hour=00\/minute=00\//,
    );
  });
}

const PATIENCE = { retryAfterMillis: 300_000 };
for (const [message, expected] of [
  ['put: We encountered an internal error. Please try again. (10001)', { status: 'retryable' }],
  ['put: Please look at your credentials. (10002)', { status: 'retryable', ...PATIENCE }],
  ['put: Access Denied. (10003)', { status: 'retryable', ...PATIENCE }],
  ['put: The specified bucket does not exist. (10006)', { status: 'retryable', ...PATIENCE }],
  ['put: Please enable R2. (10042)', { status: 'retryable', ...PATIENCE }],
  ['put: Service unavailable. (10043)', { status: 'retryable' }],
  ['put: Reduce your concurrent request rate for the same object. (10058)', { status: 'retryable' }],
  ['put: At least one of the pre-conditions you specified did not hold. (10031)', { status: 'stored' }],
  ['put: Your metadata headers exceed the maximum allowed metadata size. (10012)', { status: 'rejected' }],
  ['put: The specified object name is not valid. (10020)', { status: 'rejected' }],
  ['put: Your proposed upload exceeds the maximum allowed object size. (100100)', { status: 'rejected' }],
  ['put: Unspecified error (0)', { status: 'retryable' }],
  ['Network connection lost.', { status: 'retryable' }],
  ['put: the code is not at the end (10020) of this', { status: 'retryable' }],
] as const) {
  test(`r2: "${message}" is ${expected.status}`, async () => {
    for (const isLate of [true, false]) {
      const { destination, diagnostics } = setUp({}, () => {
        const error = new Error(message);
        if (isLate) return Promise.reject(error);
        throw error;
      });
      const outcome = await destination.send(handMadeBlob(BLOB));
      const cause = `Error: ${message}`;
      const isStored = expected.status === 'stored';
      const reason = expected.status === 'rejected' && { reason: 'rejected' };
      assert.deepEqual(outcome, isStored ? expected : { ...expected, ...reason, cause });
      const { uploads, uploadFailures } = diagnostics.totals.requests;
      assert.deepEqual([uploads, uploadFailures], [1, isStored ? 0 : 1]);
    }
  });
}

test('r2: a put without an end is given up and tried again', async () => {
  const { destination, platform } = setUp({}, () => new Promise(() => {}));
  const sending = destination.send(handMadeBlob(BLOB));
  await platform.advance(30_000);
  assert.deepEqual(await sending, { status: 'retryable', cause: 'Error: no answer in 30000 ms' });
});

test('r2: close ends what it waits for, and leaves no timer', async () => {
  const { destination, platform } = setUp({}, () => new Promise(() => {}));
  const sending = destination.send(handMadeBlob(BLOB));
  await settle();
  destination.close();
  assert.equal((await sending).status, 'retryable');
  assert.equal(platform.loose.timers, 0);
});

test('r2: its id names the place', () => {
  assert.equal(r2(BUCKET).id, 'r2 otlp/v1/default/production');
  assert.equal(r2(BUCKET, { prefix: 'a', project: 'b', environment: 'c' }).id, 'r2 a/b/c');
});

for (const binding of [undefined, null, {}, 'TRACES', { put() {}, get() {}, getWithMetadata() {} }]) {
  test(`r2: ${JSON.stringify(binding)} is no binding, which the error says`, () => {
    assert.throws(
      () => r2(binding as never),
      /^TypeError: spandrel: option "binding" takes an R2 bucket.*"r2_buckets" of wrangler's configuration, got /,
    );
  });
}

for (const [options, name] of [
  [{ prefix: '' }, 'prefix'],
  [{ prefix: '/otlp' }, 'prefix'],
  [{ prefix: 5 }, 'prefix'],
  [{ project: 'a/b' }, 'project'],
  [{ project: null }, 'project'],
  [{ environment: '..' }, 'environment'],
] as const) {
  test(`r2: ${JSON.stringify(options)} is refused`, () => {
    assert.throws(() => r2(BUCKET, options as never), new RegExp(`option "${name}" takes`));
  });
}

test('r2: an option that is none is refused', () => {
  assert.throws(() => r2(BUCKET, { bucket: 'traces' } as never), /r2\(\) has no option "bucket"/);
});

/** As `@cloudflare/workers-types` declares it, as far as types can tell: what a user's `env` has must be accepted. */
interface R2BucketOfWorkers {
  head(key: string): Promise<object | null>;
  put(
    key: string,
    value: ReadableStream | ArrayBuffer | ArrayBufferView | string | null | Blob,
    options?: PutOptionsOfWorkers & { onlyIf: ConditionalOfWorkers | Headers },
  ): Promise<object | null>;
  put(
    key: string,
    value: ReadableStream | ArrayBuffer | ArrayBufferView | string | null | Blob,
    options?: PutOptionsOfWorkers,
  ): Promise<object>;
}
interface PutOptionsOfWorkers {
  onlyIf?: ConditionalOfWorkers | Headers;
  httpMetadata?: { contentType?: string; contentEncoding?: string } | Headers;
}
interface ConditionalOfWorkers {
  etagMatches?: string;
  etagDoesNotMatch?: string;
}

const BUCKET: R2BucketOfWorkers = {
  head: async () => null,
  put: async () => ({}),
};
