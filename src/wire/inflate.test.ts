import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync, gunzipSync } from 'node:zlib';
import { gzipped, LIMITS } from '../testing/forward.js';
import { type Gunzip, inflateOne } from './inflate.js';

const joined = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat(parts));
const nodes: Gunzip = (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength });

/** By either way to inflate. */
const reasonOf = async (bytes: Uint8Array<ArrayBuffer>, limits = LIMITS) => {
  const results = await Promise.all([inflateOne(bytes, limits), inflateOne(bytes, limits, nodes)]);
  const [one, other] = results.map((result) =>
    'reason' in result ? result.reason : new TextDecoder().decode(result),
  );
  assert.equal(one, other);
  return one;
};

test('inflate: one member is read, also one with a padded header, a name and a comment', async () => {
  assert.equal(await reasonOf(gzipped('some text')), 'some text');
  const plain = gzipped('padded');
  // FEXTRA of 300 bytes, FNAME and FCOMMENT.
  const header = [...plain.subarray(0, 3), 4 | 8 | 16, ...plain.subarray(4, 10), 44, 1];
  const names = new TextEncoder().encode('name\0comment\0');
  const padded = joined(new Uint8Array(header), new Uint8Array(300), names, plain.subarray(10));
  assert.equal(await reasonOf(padded), 'padded');
  assert.equal(await reasonOf(joined(new Uint8Array(3), plain).subarray(3)), 'padded');
});

test('inflate: what is no member, or broken off anywhere, is not gzip', async () => {
  const good = gzipped('some text, some text');
  for (let length = 0; length < good.length; length++) {
    assert.equal(await reasonOf(good.slice(0, length)), 'not-gzip', `cut to ${length}`);
  }
  for (const at of [0, 1, 2, good.length - 8, good.length - 1]) {
    const bad = good.slice();
    bad[at] = (bad[at] ?? 0) ^ 1;
    assert.equal(await reasonOf(bad), 'not-gzip', `byte ${at}`);
  }
  assert.equal(await reasonOf(new TextEncoder().encode('{"resourceSpans":[]} and more')), 'not-gzip');
});

test('inflate: nothing may come after the member, however it is made to look', async () => {
  const one = gzipped('the first of them');
  const length = one.subarray(-4);
  const zero = new Uint8Array(1);
  const cases = {
    'two members': joined(gzipped('{"a":'), gzipped('1}')),
    'the same twice': joined(one, one),
    'an empty one first': joined(gzipped(''), one),
    'two empty ones first': joined(gzipped(''), gzipped(''), one),
    'an empty one last': joined(one, gzipped('')),
    zeros: joined(one, new Uint8Array(10)),
    'a zero and the same length': joined(one, zero, length),
    'a zero, text, and the same length': joined(one, zero, new TextEncoder().encode('hidden'), length),
    'a zero and a member of the same length': joined(one, zero, gzipped('the other of them')),
    text: joined(one, new TextEncoder().encode('hidden'), length),
  };
  for (const [name, bytes] of Object.entries(cases)) assert.equal(await reasonOf(bytes), 'not-gzip', name);
});

test('inflate: what only looks like the end or like a member inside is inside', async () => {
  const inner = joined(gzipped('inner'), Uint8Array.of(0x1f, 0x8b, 8, 0));
  // Stored, not compressed, so that its bytes stand as they are.
  const content = joined(inner, new Uint8Array(Uint32Array.of(inner.length + 9).buffer), new Uint8Array(5));
  const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
  const trailer = new Uint8Array(Uint32Array.of(crc32Of(content), content.length).buffer);
  const bytes = joined(header, deflateRawSync(content, { level: 0 }), trailer);
  const result = await inflateOne(bytes, LIMITS);
  assert.ok(!('reason' in result));
  assert.deepEqual(result, content);
});

test('inflate: each limit holds, and nothing is inflated beyond it', async () => {
  const text = 'x'.repeat(5_000);
  const good = gzipped(text);
  const ratio = Math.ceil(text.length / good.length);
  const limits = { maxObjectBytes: good.length, maxInflatedBytes: 5_000, maxInflateRatio: ratio };
  assert.equal(await reasonOf(good, { ...LIMITS, ...limits }), text);
  assert.equal(await reasonOf(good, { ...LIMITS, ...limits, maxObjectBytes: good.length - 1 }), 'too-large');
  assert.equal(await reasonOf(good, { ...LIMITS, ...limits, maxInflatedBytes: 4_999 }), 'too-large');
  assert.equal(await reasonOf(good, { ...LIMITS, ...limits, maxInflateRatio: ratio - 1 }), 'too-large');
  const bomb = gzipped(new Uint8Array(200_000_000));
  const before = process.memoryUsage().arrayBuffers;
  assert.equal(await reasonOf(bomb, LIMITS), 'too-large');
  assert.ok(process.memoryUsage().arrayBuffers - before < 40_000_000);
});

/** As zlib has it. */
function crc32Of(bytes: Uint8Array): number {
  return Buffer.from(gzipped(bytes)).subarray(-8).readUInt32LE(0);
}
