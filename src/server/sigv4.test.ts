import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSigner } from './sigv4.js';

// The examples of Amazon's documents, all signed by these credentials at this time.
const EXAMPLE = {
  region: 'us-east-1',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const AT_MILLIS = Date.UTC(2013, 4, 24);
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const amazon = createSigner(EXAMPLE, () => AT_MILLIS);

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
  const signer = createSigner(EXAMPLE, () => Date.UTC(2015, 11, 29));
  const fields = await signer.signForm(() => PUBLISHED_POLICY);
  assert.equal(fields['x-amz-signature'], '8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e');
  assert.equal(Buffer.from(fields['policy'] ?? '', 'base64').toString(), PUBLISHED_POLICY);
});

test('sigv4: a new day has a new key', async () => {
  let millis = AT_MILLIS;
  const signer = createSigner(EXAMPLE, () => millis);
  const url = new URL('https://store.example/a');
  const presign = () => signer.presign({ method: 'PUT', url, headers: {} }, 60);
  await presign();
  millis += 86_400_000;
  const fresh = createSigner(EXAMPLE, () => millis);
  assert.equal(await presign(), await fresh.presign({ method: 'PUT', url, headers: {} }, 60));
});

test('sigv4: keys are made once a day, and each day has its own', async (context) => {
  const url = new URL('https://examplebucket.s3.amazonaws.com/test.txt');
  const imports = context.mock.method(crypto.subtle, 'importKey');
  let nowMillis = AT_MILLIS;
  const signer = createSigner(EXAMPLE, () => nowMillis);
  const presign = (by = signer) => by.presign({ method: 'GET', url, headers: {} }, 60);
  await presign();
  const first = imports.mock.callCount();
  await Promise.all([presign(), presign()]);
  assert.equal(imports.mock.callCount(), first, 'no import for the day again');
  nowMillis += 86_400_000;
  assert.equal(await presign(), await presign(createSigner(EXAMPLE, () => nowMillis)));
  nowMillis -= 86_400_000;
  assert.equal(await presign(), await presign(createSigner(EXAMPLE, () => nowMillis)));
});
