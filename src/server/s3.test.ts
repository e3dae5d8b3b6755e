import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type S3Options, s3, signRequest } from './s3.js';
import { StorageError } from './storage.js';

// The examples of Amazon's documents, all signed by these credentials at this time.
const EXAMPLE = {
  region: 'us-east-1',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const AT_MILLIS = Date.UTC(2013, 4, 24);
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function sign(method: string, url: string, headers: Record<string, string>, inQuery: boolean) {
  const signingKeys = new Map<string, ArrayBuffer>();
  return signRequest(EXAMPLE, {
    method,
    url: new URL(url),
    headers,
    atMillis: AT_MILLIS,
    signingKeys,
    inQuery,
  });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
test('s3: presigns the published example', async () => {
  const { url } = await sign(
    'GET',
    'https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Expires=86400',
    {},
    true,
  );
  assert.equal(
    url.searchParams.get('X-Amz-Signature'),
    'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  );
});

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
test('s3: signs the published examples of header authentication', async () => {
  const signatureOf = async (path: string, headers: Record<string, string>, method = 'GET') => {
    const signed = await sign(method, `https://examplebucket.s3.amazonaws.com/${path}`, headers, false);
    return /Signature=(.*)$/.exec(signed.headers.get('authorization') ?? '')?.[1];
  };
  assert.equal(
    await signatureOf('test.txt', { range: 'bytes=0-9', 'x-amz-content-sha256': EMPTY_SHA256 }),
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  );
  assert.equal(
    await signatureOf('?max-keys=2&prefix=J', { 'x-amz-content-sha256': EMPTY_SHA256 }),
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  );
  assert.equal(
    await signatureOf(
      'test%24file.text',
      {
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      },
      'PUT',
    ),
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  );
});

const OPTIONS: S3Options = { endpoint: 'https://store.example', bucket: 'traces', ...EXAMPLE };

test('s3: a presigned upload signs host, type and write-once, and nothing is sent for it', async () => {
  const storage = s3({ ...OPTIONS, now: () => AT_MILLIS, fetch: () => assert.fail('asked the network') });
  const upload = await storage.presign('a/year=2026/b.json.gz', { expiresInSeconds: 900 });
  const url = new URL(upload.url);
  assert.equal(upload.method, 'PUT');
  assert.equal(
    url.origin + decodeURIComponent(url.pathname),
    'https://store.example/traces/a/year=2026/b.json.gz',
  );
  assert.equal(url.searchParams.get('X-Amz-Expires'), '900');
  assert.equal(url.searchParams.get('X-Amz-Date'), '20130524T000000Z');
  assert.equal(url.searchParams.get('X-Amz-SignedHeaders'), 'content-type;host;if-none-match');
  assert.deepEqual(upload.headers, { 'content-type': 'application/gzip', 'if-none-match': '*' });
});

test('s3: content-encoding is signed and named only when asked for', async () => {
  const storage = s3({ ...OPTIONS, contentEncoding: true });
  const upload = await storage.presign('a', { expiresInSeconds: 900 });
  const url = new URL(upload.url);
  assert.equal(upload.headers['content-encoding'], 'gzip');
  assert.equal(
    url.searchParams.get('X-Amz-SignedHeaders'),
    'content-encoding;content-type;host;if-none-match',
  );
});

test('s3: presigns for the public endpoint and calls the other', async () => {
  const asked: string[] = [];
  const storage = s3({
    ...OPTIONS,
    publicEndpoint: 'https://cdn.example/r2/',
    fetch: async (url) => {
      asked.push(url);
      return new Response(null, { status: 404 });
    },
  });
  const upload = await storage.presign('a', { expiresInSeconds: 900 });
  assert.match(upload.url, /^https:\/\/cdn\.example\/r2\/traces\/a\?/);
  assert.equal(await storage.head('a'), undefined);
  assert.deepEqual(asked, ['https://store.example/traces/a']);
});

test('s3: temporary credentials travel with the signature', async () => {
  const storage = s3({ ...OPTIONS, sessionToken: 'temporary' });
  const upload = await storage.presign('a', { expiresInSeconds: 900 });
  assert.equal(new URL(upload.url).searchParams.get('X-Amz-Security-Token'), 'temporary');
});

test('s3: a refusal of the store is a StorageError with its status and without its secrets', async () => {
  const storage = s3({ ...OPTIONS, fetch: async () => new Response('<Error/>', { status: 403 }) });
  const calls = [
    () => storage.put('a', new Uint8Array(1)),
    () => storage.head('a'),
    () => storage.list(''),
    () => storage.get('a'),
    () => storage.delete('a'),
  ];
  for (const call of calls) {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof StorageError);
      assert.equal(error.httpStatus, 403);
      assert.doesNotMatch(error.message, /store\.example|AKIA|wJalr/);
      return true;
    });
  }
});

test('s3: a store that cannot be reached, hangs or breaks off is a StorageError', async () => {
  const unreachable = s3({ ...OPTIONS, fetch: () => Promise.reject(new TypeError('fetch failed')) });
  await assert.rejects(unreachable.head('a'), { name: 'StorageError', httpStatus: undefined });

  const hanging = s3({
    ...OPTIONS,
    timeoutMillis: 1,
    fetch: (_url, { signal }) =>
      new Promise((_resolve, reject) => {
        // The signal's own timer does not keep Node alive.
        const alive = setInterval(() => undefined, 1000);
        signal?.addEventListener('abort', () => {
          clearInterval(alive);
          reject(signal.reason);
        });
      }),
  });
  await assert.rejects(hanging.head('a'), { name: 'StorageError', httpStatus: undefined });

  const broken = () => new ReadableStream({ start: (controller) => controller.error(new Error('reset')) });
  const breaking = s3({ ...OPTIONS, fetch: async () => new Response(broken()) });
  await assert.rejects(breaking.get('a'), { name: 'StorageError', httpStatus: 200 });
});

test('s3: a listing that is none is a StorageError', async () => {
  const storage = s3({ ...OPTIONS, fetch: async () => new Response('<html>login</html>') });
  await assert.rejects(storage.list(''), StorageError);
});

test('s3: keys that URL parsing would change are refused', async () => {
  const storage = s3({ ...OPTIONS, fetch: () => assert.fail('asked the network') });
  for (const key of ['', '..', 'a/../b', 'a/./b', '../other-bucket/a']) {
    await assert.rejects(storage.presign(key, { expiresInSeconds: 900 }), TypeError, key);
    await assert.rejects(storage.get(key), TypeError, key);
  }
});

test('s3: unusable options are named, and secrets are not printed', () => {
  const cases: [string, Partial<Record<keyof S3Options, unknown>>][] = [
    ['endpoint', { endpoint: 'store.example' }],
    ['endpoint', { endpoint: 'ftp://store.example' }],
    ['endpoint', { endpoint: 'https://user:hunter2@store.example' }],
    ['endpoint', { endpoint: 'https://hunter2@store.example' }],
    ['endpoint', { endpoint: 'https://:hunter2@store.example' }],
    ['endpoint', { endpoint: undefined }],
    ['publicEndpoint', { publicEndpoint: 'https://store.example/?x' }],
    ['bucket', { bucket: 'a/b' }],
    ['bucket', { bucket: undefined }],
    ['region', { region: '' }],
    ['accessKeyId', { accessKeyId: undefined }],
    ['secretAccessKey', { secretAccessKey: 7 }],
    ['sessionToken', { sessionToken: '' }],
    ['timeoutMillis', { timeoutMillis: 0 }],
    ['fetch', { fetch: 'hunter2'.length }],
    ['now', { now: 5 }],
  ];
  for (const [option, change] of cases) {
    assert.throws(
      () => s3({ ...OPTIONS, ...change } as S3Options),
      (error) => {
        assert.ok(error instanceof TypeError);
        assert.ok(error.message.includes(`option "${option}"`), error.message);
        assert.doesNotMatch(error.message, /hunter2|wJalr/);
        return true;
      },
      option,
    );
  }
});
