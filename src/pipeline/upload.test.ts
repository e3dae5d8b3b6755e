import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { handMadeBlob, handMadeUpload } from '../testing/blobs.js';
import { gzipNow } from './compress.js';
import { formBytes, formOf, resultOf, uploadRequest } from './upload.js';

const xml = (code: string): string => `<?xml version="1.0"?><Error><Code>${code}</Code></Error>`;

// The codes are those that S3 and R2 document; see `resultOf`.
for (const [status, body, expected] of [
  [200, '', 'stored'],
  [201, '', 'stored'],
  [204, '', 'stored'],
  [412, xml('PreconditionFailed'), 'exists'],
  [401, '', 'expired'],
  [403, xml('AccessDenied'), 'expired'],
  [400, xml('ExpiredToken'), 'expired'],
  [404, xml('NoSuchBucket'), 'retryable'],
  [400, xml('RequestTimeout'), 'retryable'],
  [400, xml('IncompleteBody'), 'retryable'],
  [400, xml('ClientDisconnect'), 'retryable'],
  [408, '', 'retryable'],
  [409, xml('OperationAborted'), 'retryable'],
  [425, '', 'retryable'],
  [429, xml('TooManyRequests'), 'retryable'],
  [500, xml('InternalError'), 'retryable'],
  [503, xml('SlowDown'), 'retryable'],
  [599, '', 'retryable'],
  [0, 'TypeError: Failed to fetch', 'retryable'],
  [400, xml('InvalidArgument'), 'rejected'],
  [405, '', 'rejected'],
  [411, xml('MissingContentLength'), 'rejected'],
  [413, xml('EntityTooLarge'), 'rejected'],
  [304, '', 'rejected'],
] as const) {
  test(`upload: ${status} ${body.replace(/<[^>]*>/g, '')} means ${expected}`, () => {
    assert.equal(resultOf({ status, body }).status, expected);
  });
}

test('upload: the server’s patience and the cause travel along', () => {
  assert.deepEqual(resultOf({ status: 503, body: '', retryAfterMillis: 7_000 }), {
    status: 'retryable',
    retryAfterMillis: 7_000,
    cause: 'HTTP 503',
  });
  assert.deepEqual(resultOf({ status: 0, body: 'TypeError: x' }), {
    status: 'retryable',
    retryAfterMillis: undefined,
    cause: 'TypeError: x',
  });
});

test('upload: a 400 without a code that may pass is not tried again, however long its text', () => {
  assert.equal(resultOf({ status: 400, body: `${'x'.repeat(10_000)}\n429 500` }).status, 'rejected');
});

test('upload: PUT sends the very bytes and headers, with no credentials, referrer or redirect', () => {
  const blob = handMadeBlob();
  const headers = { 'content-type': 'application/gzip', 'if-none-match': '*' };
  assert.deepEqual(uploadRequest(handMadeUpload({ headers }), blob, true), {
    method: 'PUT',
    headers,
    body: blob.bytes,
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    redirect: 'error',
    keepalive: true,
  });
});

test('upload: POST sends the fields in their order and the file last', async () => {
  const blob = handMadeBlob({ bytes: Uint8Array.of(1, 2, 3) });
  const form = formOf(handMadeUpload({ fields: { policy: 'p', key: 'k' } }), blob);
  assert.deepEqual([...form.keys()], ['policy', 'key', 'file']);
  assert.deepEqual(new Uint8Array(await (form.get('file') as File).arrayBuffer()), blob.bytes);
  assert.deepEqual([...formOf(handMadeUpload(), blob).keys()], ['file']);
});

test('upload: a form is counted with all that is around its file', async () => {
  const blob = handMadeBlob({ bytes: new Uint8Array(1000) });
  // Such as those of temporary credentials, whose token comes twice, or of none.
  const forms = [undefined, { key: 'k' }, { policy: 'p'.repeat(3000), token: 't'.repeat(1500), key: 'k' }];
  for (const fields of forms) {
    const sent = (await new Response(formOf(handMadeUpload(fields && { fields }), blob)).arrayBuffer())
      .byteLength;
    const counted = formBytes(fields) + blob.bytes.length;
    assert.ok(counted >= sent && counted < sent + 512, `${counted} for ${sent}`);
  }
});

test('upload: where one length is signed, the body is padded to it, as PUT and in a form', async () => {
  const { bytes } = gzipNow('{"resourceSpans":[]}');
  const blob = handMadeBlob({ bytes });
  const put = uploadRequest(handMadeUpload({ bytes: 500 }), blob, false).body as Uint8Array;
  assert.equal(put.length, 500);
  assert.equal(gunzipSync(put).toString(), '{"resourceSpans":[]}');
  const form = uploadRequest(handMadeUpload({ method: 'POST', bytes: 500 }), blob, false).body as FormData;
  assert.deepEqual(new Uint8Array(await (form.get('file') as File).arrayBuffer()), put);
  assert.equal(uploadRequest(handMadeUpload({ maxBytes: 500 }), blob, false).body, bytes);
});
