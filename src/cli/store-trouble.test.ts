import assert from 'node:assert/strict';
import { test } from 'node:test';
import { s3 } from '../server/s3.js';
import type { StorageError } from '../server/storage.js';
import { explainingStorage } from './store-trouble.js';

const ENDPOINT = 'https://s3.eu-central-1.amazonaws.com';
const error = (code: string, more = ''): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code>${more}</Error>`;

/** As AWS, R2, Ceph and what is none of them answer. */
const CASES: [status: number, body: string, said: RegExp, headers?: Record<string, string>][] = [
  [404, error('NoSuchBucket'), /404 NoSuchBucket; create the bucket, or mend --bucket/],
  [403, error('InvalidAccessKeyId'), /AWS_ACCESS_KEY_ID is not one of this store/],
  [401, error('Unauthorized'), /AWS_ACCESS_KEY_ID is not one of this store/],
  [403, error('SignatureDoesNotMatch'), /mend AWS_SECRET_ACCESS_KEY/],
  [403, error('RequestTimeTooSkewed'), /clocks differ .*set this machine's by NTP/],
  [403, error('AccessDenied'), /give AWS_ACCESS_KEY_ID the right/],
  [400, error('ExpiredToken'), /temporary credentials have ended/],
  [
    400,
    error('AuthorizationHeaderMalformed', '<Region>us-west-2</Region>'),
    /in the region us-west-2: mend --region/,
  ],
  [400, error('AuthorizationHeaderMalformed'), /mend --region: it is signed/],
  [400, error('InvalidRegionName'), /in another region: mend --region/],
  [301, error('PermanentRedirect'), /in the region ap-south-1/, { 'x-amz-bucket-region': 'ap-south-1' }],
  [400, error('InvalidBucketName'), /mend --bucket: it is no bucket's name/],
  [503, error('SlowDown'), /asks for patience/],
  [500, '', /the store failed: try again later/],
  [302, '', /it redirects: mend --s3-endpoint/],
  [200, '<!doctype html><title>Log in</title>', /check --s3-endpoint: /],
  [404, '<!doctype html>', /check --s3-endpoint and --bucket: nothing is there/],
  [403, error('Evil\u001b[31m'), /answered GET with 403; give/],
];

test('store trouble: bucket, host, the word of the store and the cure are named', async () => {
  for (const [status, body, said, headers = {}] of CASES) {
    const fetch = async (): Promise<Response> => new Response(body, { status, headers });
    const options = {
      endpoint: ENDPOINT,
      bucket: 'traces',
      accessKeyId: 'id',
      secretAccessKey: 'secret',
      fetch,
    };
    const storage = explainingStorage(s3(options), 'traces', ENDPOINT);
    await assert.rejects(storage.list('otlp/'), (thrown: StorageError) => {
      assert.match(thrown.message, /^bucket "traces" at s3\.eu-central-1\.amazonaws\.com: /);
      assert.match(thrown.message, said);
      return true;
    });
  }
});

test('store trouble: the word of the network is that below our own', async () => {
  const networks: [code: string, said: RegExp][] = [
    ['ENOTFOUND', /\(ENOTFOUND\); the name does not resolve: mend --s3-endpoint/],
    ['ECONNREFUSED', /\(ECONNREFUSED\); nothing listens there/],
  ];
  for (const [code, said] of networks) {
    const fetch = async (): Promise<Response> => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code }) });
    };
    const options = {
      endpoint: ENDPOINT,
      bucket: 'traces',
      accessKeyId: 'id',
      secretAccessKey: 'secret',
      fetch,
    };
    await assert.rejects(explainingStorage(s3(options), 'traces', ENDPOINT).list('otlp/'), said);
  }
});

test('store trouble: an object of a bucket that is not there has not vanished', async () => {
  const fetch = async (): Promise<Response> => new Response(error('NoSuchBucket'), { status: 404 });
  const storage = s3({
    endpoint: ENDPOINT,
    bucket: 'traces',
    accessKeyId: 'id',
    secretAccessKey: 'secret',
    fetch,
  });
  await assert.rejects(storage.get('otlp/v1/a'), /404 NoSuchBucket/);
  const none = async (): Promise<Response> => new Response(error('NoSuchKey'), { status: 404 });
  const other = s3({
    endpoint: ENDPOINT,
    bucket: 'a',
    accessKeyId: 'id',
    secretAccessKey: 'secret',
    fetch: none,
  });
  assert.equal(await other.get('otlp/v1/a'), undefined);
});
