import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { makeProbe, PROBE_BYTES, padGzip } from './probe.js';

test('probe: padded to any length there is room for, it is the same text to zlib', () => {
  const probe = makeProbe(Date.UTC(2026, 10, 21));
  const text = gunzipSync(probe).toString();
  assert.ok(probe.length < PROBE_BYTES);
  for (const length of [probe.length, probe.length + 2, PROBE_BYTES, probe.length + 65_537]) {
    const padded = padGzip(probe, length);
    assert.equal(padded?.length, length);
    assert.equal(gunzipSync(padded ?? new Uint8Array()).toString(), text);
  }
  for (const length of [probe.length - 1, probe.length + 1, probe.length + 65_538]) {
    assert.equal(padGzip(probe, length), undefined);
  }
});
