import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, gunzipSync as nodeGunzip } from 'node:zlib';
import { gunzipSync as fflateGunzip } from 'fflate';
import { gzipNow } from '../pipeline/compress.js';
import { gunzipNow } from '../pipeline/compress-fflate.js';
import { checkTraceBytes } from '../server/trace-bytes.js';
import { handMadeUpload } from '../testing/blobs.js';
import { paddingOf, padGzip, takes } from './upload-length.js';

const JSON_TEXT = JSON.stringify({ resourceSpans: [{ scopeSpans: [] }], noise: 'é€😀'.repeat(20) });
const PADDINGS = [6, 7, 8, 9, 255, 256, 257, 261, 262, 512, 4_096, 65_536, 65_537];

const streamed = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();

for (const padding of PADDINGS) {
  test(`upload length: ${padding} bytes of padding are read by zlib, DecompressionStream, fflate and the server`, async () => {
    const { bytes } = gzipNow(JSON_TEXT);
    const before = bytes.slice();
    const padded = padGzip(bytes, bytes.length + padding);
    assert.equal(padded.length, bytes.length + padding);
    assert.deepEqual(bytes, before, 'the blob’s own bytes');
    assert.equal(nodeGunzip(padded).toString(), JSON_TEXT);
    assert.equal(await streamed(padded), JSON_TEXT);
    assert.equal(new TextDecoder().decode(fflateGunzip(padded)), JSON_TEXT);
    await checkTraceBytes(padded, { maxInflatedBytes: 1e6, maxInflateRatio: 100 });
  });

  test(`upload length: ${padding} bytes of padding are one extra field of whole subfields`, () => {
    const { bytes } = gzipNow(JSON_TEXT);
    const padded = Buffer.from(padGzip(bytes, bytes.length + padding));
    // RFC 1952: FLG, then XLEN behind the header of 10 bytes, then SI1, SI2, LEN and so many bytes, again and again.
    assert.equal(padded[3], 4);
    const end = 12 + padded.readUInt16LE(10);
    let at = 12;
    while (at < end) at += 4 + padded.readUInt16LE(at + 2);
    assert.equal(at, end);
    assert.deepEqual(padded.subarray(end), Buffer.from(bytes.subarray(10)));
    assert.deepEqual(padded.subarray(0, 3), Buffer.from(bytes.subarray(0, 3)));
    assert.deepEqual(padded.subarray(4, 10), Buffer.from(bytes.subarray(4, 10)));
  });
}

test('upload length: what has the length, or needs none, is not copied', () => {
  const { bytes } = gzipNow(JSON_TEXT);
  assert.equal(padGzip(bytes, undefined), bytes);
  assert.equal(padGzip(bytes, bytes.length), bytes);
});

test('upload length: bytes of a CompressionStream can be padded as well', async () => {
  const stream = new Blob([JSON_TEXT]).stream().pipeThrough(new CompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  assert.equal(nodeGunzip(padGzip(bytes, bytes.length + 100)).toString(), JSON_TEXT);
  const zlib = new Uint8Array(gzipSync(JSON_TEXT));
  assert.equal(nodeGunzip(padGzip(zlib, zlib.length + 100)).toString(), JSON_TEXT);
});

test('upload length: the blob itself stays what its own reader takes', () => {
  const { bytes, rawBytes } = gzipNow(JSON_TEXT);
  padGzip(bytes, bytes.length + 100);
  assert.equal(new TextDecoder().decode(gunzipNow(bytes, rawBytes)), JSON_TEXT);
});

for (const [limit, length, expected] of [
  [{}, 700, 0],
  [{ bytes: 700 }, 700, 0],
  [{ bytes: 705 }, 700, Number.NaN],
  [{ bytes: 701 }, 700, Number.NaN],
  [{ bytes: 706 }, 700, 6],
  [{ bytes: 66_237 }, 700, 65_537],
  [{ bytes: 66_238 }, 700, Number.NaN],
  [{ bytes: 699 }, 700, Number.NaN],
  [{ bytes: 0 }, 700, Number.NaN],
  [{ bytes: -1 }, 700, Number.NaN],
  [{ bytes: Number.MAX_SAFE_INTEGER }, 700, Number.NaN],
  [{ maxBytes: 700 }, 700, 0],
  [{ maxBytes: 1e308 }, 700, 0],
  [{ maxBytes: 699 }, 700, Number.NaN],
  [{ maxBytes: 0 }, 700, Number.NaN],
  [{ maxBytes: -5 }, 700, Number.NaN],
] as const) {
  test(`upload length: ${JSON.stringify(limit)} and a body of ${length}: padding ${expected}`, () => {
    const upload = handMadeUpload(limit);
    assert.equal(paddingOf(upload, length), expected);
    assert.equal(takes(upload, length), !Number.isNaN(expected));
  });
}
