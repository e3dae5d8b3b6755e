import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyOf } from './send-upload.js';

const BYTES = new Uint8Array([31, 139, 8, 0, 255, 10, 13]);
const UPLOAD = { id: 'a', url: 'https://store.example/', key: 'a', expiresInMs: 1 };
const FIELDS = { key: 'otlp/v1/a', 'Content-Type': 'application/gzip', policy: 'eyJ9' };

test('upload: a form has the fields in their order, and the bytes behind them', async () => {
  for (const contentType of [undefined, 'text/html']) {
    const { headers, body } = await bodyOf(
      { ...UPLOAD, method: 'POST', headers: { 'x-own': '1' }, fields: FIELDS },
      { body: BYTES, ...(contentType && { contentType }) },
    );
    assert.equal(headers['x-own'], '1');
    const form = await new Response(body, { headers }).formData();
    const file = form.get('file');
    assert.ok(file instanceof Blob);
    assert.deepEqual(new Uint8Array(await file.arrayBuffer()), BYTES);
    assert.deepEqual(
      [...form].slice(0, 3),
      Object.entries({ ...FIELDS, 'Content-Type': contentType ?? 'application/gzip' }),
    );
    assert.deepEqual([...form.keys()].at(-1), 'file');
  }
});

test('upload: of a PUT the type alone is another', async () => {
  const put = { ...UPLOAD, method: 'PUT' as const, headers: { 'Content-Type': 'application/gzip' } };
  const sent = async (headers: object, contentType?: string) =>
    (await bodyOf({ ...put, ...headers }, { body: BYTES, ...(contentType && { contentType }) })).headers;
  assert.deepEqual(await sent({}), { 'content-type': 'application/gzip' });
  assert.deepEqual(await sent({}, 'text/html'), { 'content-type': 'text/html' });
  assert.deepEqual(await sent({ headers: {} }, 'text/html'), { 'content-type': 'text/html' });
});
