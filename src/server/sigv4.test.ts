import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { AwsV4Signer } from 'aws4fetch';
import fc from 'fast-check';
import { AMAZON, createSigner, encodeStrictly, GOOGLE } from './sigv4.js';

// The examples of Amazon's documents, all signed by these credentials at this time.
const EXAMPLE = {
  region: 'us-east-1',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const AT_MILLIS = Date.UTC(2013, 4, 24);
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const amazon = createSigner(EXAMPLE, AMAZON, () => AT_MILLIS);

const signatureIn = (headers: Record<string, string>) =>
  /Signature=(.*)$/.exec(headers['authorization'] ?? '')?.[1];

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
test('sigv4: presigns the published example', async () => {
  const url = new URL('https://examplebucket.s3.amazonaws.com/test.txt');
  const signed = await amazon.presign({ method: 'GET', url, headers: {} }, 86_400);
  assert.equal(
    new URL(signed).searchParams.get('X-Amz-Signature'),
    'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  );
});

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
test('sigv4: signs the published examples of header authentication', async () => {
  const signatureOf = async (path: string, headers: Record<string, string>, method = 'GET') => {
    const url = new URL(`https://examplebucket.s3.amazonaws.com/${path}`);
    return signatureIn(await amazon.signHeaders({ method, url, headers }));
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

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html, with the line ends of its base64. */
const PUBLISHED_POLICY = [
  '{ "expiration": "2015-12-30T12:00:00.000Z",',
  '  "conditions": [',
  '    {"bucket": "sigv4examplebucket"},',
  '    ["starts-with", "$key", "user/user1/"],',
  '    {"acl": "public-read"},',
  '    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},',
  '    ["starts-with", "$Content-Type", "image/"],',
  '    {"x-amz-meta-uuid": "14365123651274"},',
  '    {"x-amz-server-side-encryption": "AES256"},',
  '    ["starts-with", "$x-amz-meta-tag", ""],',
  '',
  '    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},',
  '    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},',
  '    {"x-amz-date": "20151229T000000Z" }',
  '  ]',
  '}',
].join('\r\n');

test('sigv4: signs the published example of a form', async () => {
  const signer = createSigner(EXAMPLE, AMAZON, () => Date.UTC(2015, 11, 29));
  const fields = await signer.signForm(() => PUBLISHED_POLICY);
  assert.equal(fields['x-amz-signature'], '8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e');
  assert.equal(Buffer.from(fields['policy'] ?? '', 'base64').toString(), PUBLISHED_POLICY);
});

/** The signature is one that ClickHouse's own signer gives, and that was taken by Google's store there. */
test('sigv4: signs for Google, with nothing of Amazon', async () => {
  const google = createSigner(
    { region: 'auto', accessKeyId: 'GOOGTESTACCESSKEY', secretAccessKey: 'testsecretkey' },
    GOOGLE,
    () => Date.UTC(2026, 6, 3),
  );
  const url = new URL('https://storage.googleapis.com/test-bucket/dir/obj.txt');
  const headers = { 'x-goog-if-generation-match': '0' };
  const signed = await google.signHeaders({ method: 'PUT', url, headers });
  assert.deepEqual(signed, {
    'x-goog-if-generation-match': '0',
    'x-goog-content-sha256': 'UNSIGNED-PAYLOAD',
    'x-goog-date': '20260703T000000Z',
    authorization:
      'GOOG4-HMAC-SHA256 Credential=GOOGTESTACCESSKEY/20260703/auto/storage/goog4_request, ' +
      'SignedHeaders=host;x-goog-content-sha256;x-goog-date;x-goog-if-generation-match, ' +
      'Signature=4f82e49c69753329afd4768ccf1db6b472dbbd86d082a08b5b9f9fe368fb6ef6',
  });
});

/** The rules are those of https://cloud.google.com/storage/docs/authentication/canonical-requests. */
test('sigv4: presigns for Google', async () => {
  const identity = { region: 'auto', accessKeyId: 'GOOG1E', secretAccessKey: 'testsecretkey' };
  const google = createSigner(identity, GOOGLE, () => Date.UTC(2026, 6, 3));
  const url = new URL('https://storage.googleapis.com/traces/a%21b');
  const signed = new URL(
    await google.presign({ method: 'PUT', url, headers: { 'content-type': 'application/gzip' } }, 900),
  );
  const query =
    'X-Goog-Algorithm=GOOG4-HMAC-SHA256&X-Goog-Credential=GOOG1E%2F20260703%2Fauto%2Fstorage%2Fgoog4_request' +
    '&X-Goog-Date=20260703T000000Z&X-Goog-Expires=900&X-Goog-SignedHeaders=content-type%3Bhost';
  const canonical = `PUT\n/traces/a%21b\n${query}\ncontent-type:application/gzip\nhost:storage.googleapis.com\n\ncontent-type;host\nUNSIGNED-PAYLOAD`;
  const digest = createHash('sha256').update(canonical).digest('hex');
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const key = ['20260703', 'auto', 'storage', 'goog4_request'].reduce<string | Buffer>(
    hmac,
    'GOOG4testsecretkey',
  );
  const text = `GOOG4-HMAC-SHA256\n20260703T000000Z\n20260703/auto/storage/goog4_request\n${digest}`;
  assert.equal(signed.search, `?${query}&X-Goog-Signature=${hmac(key, text).toString('hex')}`);
});

test('sigv4: signs whatever key, query and header as aws4fetch does', async () => {
  const time = new Date(AT_MILLIS).toISOString().replace(/[:-]|\.\d{3}/g, '');
  const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
  const plain = fc.stringMatching(/^[!-~]([ -~]{0,10}[!-~])?$/);
  const property = fc.asyncProperty(word, word, plain, plain, async (key, prefix, type, sessionToken) => {
    const identity = { ...EXAMPLE, sessionToken };
    const signer = createSigner(identity, AMAZON, () => AT_MILLIS);
    const path = key.split('/').map(encodeStrictly).join('/');
    const url = new URL(`https://store.example/traces/${path}`);
    if (url.pathname !== `/traces/${path}`) return; // `..`, which no key is.
    url.searchParams.set('prefix', prefix);
    const headers = { 'content-type': type };
    const their = { ...identity, service: 's3', method: 'PUT', headers, datetime: time, allHeaders: true };

    const inHeader = await new AwsV4Signer({ ...their, url: url.href }).sign();
    const ours = await signer.signHeaders({ method: 'PUT', url, headers });
    assert.equal(
      signatureIn(ours),
      signatureIn({ authorization: inHeader.headers.get('authorization') ?? '' }),
    );

    const expiring = new URL(url);
    expiring.searchParams.set('X-Amz-Expires', '60');
    const inQuery = await new AwsV4Signer({ ...their, url: expiring.href, signQuery: true }).sign();
    const signed = new URL(await signer.presign({ method: 'PUT', url, headers }, 60));
    assert.equal(signed.searchParams.get('X-Amz-Signature'), inQuery.url.searchParams.get('X-Amz-Signature'));
  });
  await fc.assert(property, { numRuns: 200 });
});

test('sigv4: a new day has a new key', async () => {
  let millis = AT_MILLIS;
  const signer = createSigner(EXAMPLE, AMAZON, () => millis);
  const url = new URL('https://store.example/a');
  const presign = () => signer.presign({ method: 'PUT', url, headers: {} }, 60);
  await presign();
  millis += 86_400_000;
  const fresh = createSigner(EXAMPLE, AMAZON, () => millis);
  assert.equal(await presign(), await fresh.presign({ method: 'PUT', url, headers: {} }, 60));
});
