import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { makeProbe, PROBE_BYTES, probeFor } from './probe.js';

const UPLOAD = {
  id: 'a',
  method: 'PUT',
  url: 'https://store.example/a',
  key: 'a',
  headers: {},
  expiresInMs: 1,
};

test('probe: as long as the upload wants it, it is one span to zlib', () => {
  assert.ok(makeProbe(Date.UTC(2026, 10, 21)).length < PROBE_BYTES);
  for (const length of [{}, { bytes: PROBE_BYTES }, { maxBytes: PROBE_BYTES }, { bytes: 65_536 }]) {
    const probe = probeFor({ ...UPLOAD, method: 'PUT', ...length }) ?? assert.fail();
    if ('bytes' in length) assert.equal(probe.length, length.bytes);
    const { resourceSpans } = JSON.parse(String(gunzipSync(probe)));
    assert.equal(resourceSpans[0].scopeSpans[0].spans.length, 1);
  }
  for (const length of [{ bytes: 10 }, { maxBytes: 10 }, { bytes: 1_000_000 }]) {
    assert.equal(probeFor({ ...UPLOAD, method: 'PUT', ...length }), undefined);
  }
});
