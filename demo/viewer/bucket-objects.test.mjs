import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readText } from './bucket-objects.mjs';

const stream = (bytes) => new Blob([bytes]).stream();

test('readText: opens what zlib wrote, multi-byte text across chunks included', async () => {
  const text = JSON.stringify({ name: 'ü€😀'.repeat(100_000) });
  assert.equal(await readText(stream(gzipSync(text))), text);
});

test('readText: stops at the bound', async () => {
  const bomb = gzipSync(Buffer.alloc(1_000_001, 32));
  await assert.rejects(readText(stream(bomb), 1_000_000), /inflates to more than/);
  assert.equal((await readText(stream(bomb), 1_000_001)).length, 1_000_001);
});

test('readText: cut gzip and no UTF-8 are errors', async () => {
  await assert.rejects(readText(stream(gzipSync('{"resourceSpans":[]}').subarray(0, 20))));
  await assert.rejects(readText(stream(gzipSync(Buffer.from([0xff, 0xfe, 0x22])))));
  await assert.rejects(readText(stream(Buffer.from([0x22, 0xff, 0x22]))));
});

test('readText: what is no gzip is text as it stands, and bounded as well', async () => {
  const text = JSON.stringify({ name: 'ü€😀'.repeat(100_000) });
  assert.equal(await readText(stream(Buffer.from(text))), text);
  assert.equal(await readText(stream(Buffer.from('{'))), '{');
  assert.equal(await readText(stream(Buffer.alloc(0))), '');
  await assert.rejects(readText(stream(Buffer.from('12345')), 4), /inflates to more than/);
});

test('readText: bytes that come one by one make no difference', async () => {
  for (const bytes of [gzipSync('"ü"'), Buffer.from('"ü"')]) {
    const drops = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    assert.equal(await readText(drops), '"ü"');
  }
});
