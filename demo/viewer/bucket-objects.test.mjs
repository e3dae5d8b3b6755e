import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { inflate } from './bucket-objects.mjs';

const stream = (bytes) => new Blob([bytes]).stream();

test('inflate: opens what zlib wrote, multi-byte text across chunks included', async () => {
  const text = JSON.stringify({ name: 'ü€😀'.repeat(100_000) });
  assert.equal(await inflate(stream(gzipSync(text))), text);
});

test('inflate: stops at the bound', async () => {
  const bomb = gzipSync(Buffer.alloc(1_000_001, 32));
  await assert.rejects(inflate(stream(bomb), 1_000_000), /inflates to more than/);
  assert.equal((await inflate(stream(bomb), 1_000_001)).length, 1_000_001);
});

test('inflate: no gzip, cut gzip and no UTF-8 are errors', async () => {
  await assert.rejects(inflate(stream(Buffer.from('plain text'))));
  await assert.rejects(inflate(stream(gzipSync('{"resourceSpans":[]}').subarray(0, 20))));
  await assert.rejects(inflate(stream(gzipSync(Buffer.from([0xff, 0xfe, 0x22])))));
});
