import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkTraceBytes } from './trace-bytes.js';

const LIMITS = { maxInflatedBytes: 100_000, maxInflateRatio: 100 };
const REQUEST = '{"resourceSpans":[{"scopeSpans":[]}]}';

const gzip = (text: string | Uint8Array) => new Uint8Array(gzipSync(text));
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

test('trace bytes: one gzip member of one request passes', async () => {
  await checkTraceBytes(gzip(REQUEST), LIMITS);
  const inPlace = joined(new Uint8Array(7), gzip(REQUEST)).subarray(7);
  await checkTraceBytes(inPlace, LIMITS);
});

test('trace bytes: whatever a reader of the bucket would stumble over is malformed', async () => {
  const good = gzip(REQUEST);
  const withTrailer = (offset: number) => {
    const bytes = good.slice();
    bytes[bytes.length - offset] = (bytes[bytes.length - offset] ?? 0) ^ 1;
    return bytes;
  };
  const cases: Record<string, Uint8Array<ArrayBuffer>> = {
    empty: new Uint8Array(0),
    text: new TextEncoder().encode(REQUEST),
    'cut short': good.slice(0, -1),
    'wrong CRC': withTrailer(8),
    'wrong length': withTrailer(4),
    'two members': joined(gzip('{"resourceSpans":['), gzip(']}')),
    'zeros after it': joined(good, new Uint8Array(8)),
    'text after it': joined(good, new TextEncoder().encode('trailing')),
    'not UTF-8': gzip(
      joined(new TextEncoder().encode('{"resourceSpans":[],"a":"'), Uint8Array.of(0xff, 0x22, 0x7d)),
    ),
    'a byte order mark': gzip(`\ufeff${REQUEST}`),
    'two lines': gzip(`${REQUEST}\n${REQUEST}`),
    'no JSON': gzip('resourceSpans'),
    'an array': gzip(`[${REQUEST}]`),
    null: gzip('null'),
    'no spans': gzip('{}'),
    'no array': gzip('{"resourceSpans":{}}'),
    'a deep array': gzip(`{"resourceSpans":${'['.repeat(50_000)}`),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const limits = { ...LIMITS, maxInflateRatio: 1100 };
    await assert.rejects(checkTraceBytes(bytes, limits), { name: 'Refusal', code: 'malformed' }, name);
  }
});

test('trace bytes: nothing inflates past the limit of bytes', async () => {
  const padded = (length: number) => gzip(REQUEST.padEnd(length));
  const limits = { maxInflatedBytes: 10_000, maxInflateRatio: 1100 };
  await checkTraceBytes(padded(10_000), limits);
  await assert.rejects(checkTraceBytes(padded(10_001), limits), { code: 'too_large' });
});

test('trace bytes: nothing inflates past the limit of ratio, and a bomb is left unread', async () => {
  const bomb = gzip(new Uint8Array(64 * 1024 * 1024));
  const limits = { maxInflatedBytes: 256 * 1024 * 1024, maxInflateRatio: 10 };
  const before = process.memoryUsage().arrayBuffers;
  await assert.rejects(checkTraceBytes(bomb, limits), { code: 'too_large' });
  assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024);

  const sixHundred = gzip(REQUEST.padEnd(600));
  const ratio = 600 / sixHundred.length;
  await checkTraceBytes(sixHundred, { ...limits, maxInflateRatio: ratio });
  await assert.rejects(checkTraceBytes(sixHundred, { ...limits, maxInflateRatio: ratio * 0.99 }), {
    code: 'too_large',
  });
});
