import assert from 'node:assert/strict';
import { test } from 'node:test';
import { s3 } from './s3.js';
import type { S3Options } from './s3-options.js';
import { StorageError } from './storage.js';

const EXAMPLE = {
  region: 'us-east-1',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const AT_MILLIS = Date.UTC(2013, 4, 24);

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

const notAKey = { code: 'SPANDREL_STORAGE', httpStatus: 400 };

test('s3: keys that URL parsing would change are refused', async () => {
  const storage = s3({ ...OPTIONS, fetch: () => assert.fail('asked the network') });
  for (const key of ['', '..', 'a/../b', 'a/./b', '../other-bucket/a']) {
    await assert.rejects(storage.presign(key, { expiresInSeconds: 900 }), notAKey, key);
    await assert.rejects(storage.get(key), notAKey, key);
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
    ['uploads', { uploads: 'POST' }],
    ['virtualHosted', { virtualHosted: 'yes' }],
    ['virtualHosted', { virtualHosted: true, bucket: 'my.traces' }],
    ['virtualHosted', { virtualHosted: true, bucket: 'Traces' }],
    ['virtualHosted', { virtualHosted: true, endpoint: 'http://127.0.0.1:9000' }],
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

const SIGNED_AT = { now: () => AT_MILLIS, fetch: () => assert.fail('asked the network') };
const policyOf = (fields: Record<string, string> = {}) =>
  JSON.parse(Buffer.from(fields['policy'] ?? '', 'base64').toString());

test('s3: the length of a presigned upload is signed, and not told to browsers, which set it themselves', async () => {
  const storage = s3({ ...OPTIONS, ...SIGNED_AT });
  assert.equal(storage.uploadLength, 'exact');
  const upload = await storage.presign('a', { expiresInSeconds: 900, bytes: 4096 });
  const signedHeaders = new URL(upload.url).searchParams.get('X-Amz-SignedHeaders');
  assert.equal(signedHeaders, 'content-length;content-type;host;if-none-match');
  assert.deepEqual(upload.headers, { 'content-type': 'application/gzip', 'if-none-match': '*' });
});

test('s3: a form is for one key, type and range of lengths, and says so in its policy', async () => {
  const storage = s3({ ...OPTIONS, ...SIGNED_AT, uploads: 'post' });
  assert.equal(storage.uploadLength, 'range');
  const upload = await storage.presign('a/b c.json.gz', { expiresInSeconds: 900, bytes: 4096 });
  const { fields = {} } = upload;
  assert.deepEqual(
    { ...upload, fields: Object.keys(fields) },
    {
      method: 'POST',
      url: 'https://store.example/traces',
      headers: {},
      fields: [
        ...['key', 'Content-Type', 'success_action_status'],
        ...['x-amz-algorithm', 'x-amz-credential', 'x-amz-date', 'policy', 'x-amz-signature'],
      ],
    },
  );
  assert.deepEqual(policyOf(fields), {
    expiration: '2013-05-24T00:15:00.000Z',
    conditions: [
      { bucket: 'traces' },
      ['eq', '$key', 'a/b c.json.gz'],
      ['eq', '$Content-Type', 'application/gzip'],
      ['eq', '$success_action_status', '204'],
      ['eq', '$x-amz-algorithm', 'AWS4-HMAC-SHA256'],
      ['eq', '$x-amz-credential', 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request'],
      ['eq', '$x-amz-date', '20130524T000000Z'],
      ['content-length-range', 1, 4096],
    ],
  });
});

test('s3: every field of a form but the policy and its signature is in the policy, to the letter', async () => {
  const storage = s3({
    ...OPTIONS,
    ...SIGNED_AT,
    uploads: 'post',
    contentEncoding: true,
    sessionToken: 'temporary',
  });
  const { fields = {} } = await storage.presign('a', { expiresInSeconds: 900 });
  const { policy, 'x-amz-signature': signature, ...others } = fields;
  assert.equal(others['Content-Encoding'], 'gzip');
  assert.equal(others['x-amz-security-token'], 'temporary');
  const { conditions } = policyOf(fields);
  assert.deepEqual(
    conditions.slice(1),
    Object.entries(others).map(([name, value]) => ['eq', `$${name}`, value]),
  );
});

test('s3: a key that a form would let the sender choose is refused', async () => {
  const storage = s3({ ...OPTIONS, ...SIGNED_AT, uploads: 'post' });
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what S3 replaces by the name of the posted file.
  await assert.rejects(storage.presign('a/${filename}', { expiresInSeconds: 900 }), notAKey);
});

test('s3: a store without conditions is not given any, and is looked at before something is put', async () => {
  const asked: string[] = [];
  let there = false;
  const storage = s3({
    ...OPTIONS,
    writeOnce: false,
    fetch: async (_url, { method, headers }) => {
      asked.push(`${method} ${Object.keys(headers as object).includes('if-none-match')}`);
      if (method === 'HEAD') return new Response(null, { status: there ? 200 : 404 });
      there = true;
      return new Response();
    },
  });
  assert.equal(await storage.put('a', new Uint8Array(1)), 'created');
  assert.equal(await storage.put('a', new Uint8Array(1)), 'exists');
  assert.deepEqual(asked, ['HEAD false', 'PUT false', 'HEAD false']);
  const upload = await storage.presign('a', { expiresInSeconds: 900, bytes: 100 });
  assert.deepEqual(upload.headers, { 'content-type': 'application/gzip' });
  const signed = new URL(upload.url).searchParams.get('X-Amz-SignedHeaders');
  assert.equal(signed, 'content-length;content-type;host');
});

test('s3: a bucket stands in front of the host where it is wanted there', async () => {
  const asked: string[] = [];
  const options: S3Options = {
    ...OPTIONS,
    virtualHosted: true,
    fetch: async (url) => {
      asked.push(url);
      return new Response('<ListBucketResult></ListBucketResult>');
    },
  };
  const storage = s3(options);
  await storage.get('a');
  await storage.list('a');
  assert.deepEqual(asked, [
    'https://traces.store.example/a',
    'https://traces.store.example/?list-type=2&prefix=a',
  ]);
  const put = await storage.presign('a', { expiresInSeconds: 900 });
  assert.match(put.url, /^https:\/\/traces\.store\.example\/a\?/);
  const post = await s3({ ...options, uploads: 'post' }).presign('a', { expiresInSeconds: 900 });
  assert.equal(post.url, 'https://traces.store.example');
});
