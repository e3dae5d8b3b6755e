import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handMadeBlob } from '../testing/blobs.js';
import { testPlatform } from '../testing/platform.js';
import type { TraceBlob } from './model.js';
import { base64Of, bytesOf, lastWords, readLastWords } from './outbox-last-words.js';
import { stateOf } from './outbox-record.js';

const whole = (...blobs: TraceBlob[]) => blobs.map((blob) => ({ blob, whole: true }));
const sized = (bytes: number, fields: Partial<TraceBlob> = {}): TraceBlob =>
  handMadeBlob({ bytes: new Uint8Array(bytes), ...fields });
const MIB = 1_048_576;

for (const length of [0, 1, 2, 3, 255, 8_191, 8_192, 8_193, 100_000]) {
  test(`last words: ${length} bytes come back, as everybody writes base64`, () => {
    const bytes = testPlatform().randomBytes(length);
    assert.equal(base64Of(bytes), Buffer.from(bytes).toString('base64'));
    assert.deepEqual(bytesOf(base64Of(bytes)), bytes);
  });
}

test('last words: every value of a byte comes back', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, value) => value);
  assert.deepEqual(bytesOf(base64Of(bytes)), bytes);
});

test('last words: the changing part of each, and all of those that the database does not have', () => {
  const claim = { key: 'k', token: 't', tries: 1 };
  const [known, unknown] = [handMadeBlob({ claim }), handMadeBlob({ attempts: 2 })];
  const words = readLastWords(lastWords([{ blob: known, whole: false }, ...whole(unknown)], 7, 'tail'));
  const { bytes, rawBytes, spanCount, error, traces, sealedAtMillis, page, seq } = unknown;
  const base64 = Buffer.from(bytes).toString('base64');
  assert.deepEqual(words, {
    v: 1,
    blobs: {
      [known.id]: { state: stateOf(known) },
      [unknown.id]: {
        state: stateOf(unknown),
        record: { v: 1, rawBytes, spanCount, error, traces, sealedAtMillis, page, seq, base64 },
      },
    },
    sealed: 7,
    tail: 'tail',
  });
});

test('last words: with nothing to say there are none', () => {
  assert.equal(lastWords([], 7, 'tail'), undefined);
});

test('last words: of what the database would not delete, blobs are named, and spans are in blobs', () => {
  const key = (kind: string, id: string): string[] => ['lane', 'page', kind, id];
  const words = readLastWords(
    lastWords([], 7, 'tail', [key('blob', 'a'), key('state', 'a'), key('blob', 'b')]),
  );
  assert.deepEqual(words, { v: 1, blobs: {}, sealed: 7, tail: 'tail', gone: ['a', 'b'] });
  const ofSpans = readLastWords(lastWords([], 7, 'tail', [key('spans', '7')]));
  assert.deepEqual(ofSpans, { v: 1, blobs: {}, sealed: 7, tail: 'tail' });
  assert.equal(lastWords([], 7, 'tail', [key('owed', 't'), key('state', 'a')]), undefined, 'harms nobody');
});

test('last words: over a mebibyte the smallest go, and what was not sent is left to the checkpoint', () => {
  const [small, large, larger] = [sized(MIB / 4), sized(MIB / 2), sized(MIB / 2 + 3)];
  const words = readLastWords(lastWords(whole(larger, large, small), 7, 'tail'));
  assert.deepEqual(
    [small, large, larger].map(({ id }) => words?.blobs[id]?.record !== undefined),
    [true, true, false],
  );
  assert.deepEqual(words?.blobs[larger.id]?.state, stateOf(larger));
  assert.equal(words?.sealed, -1);
});

for (const [name, blob, isInOthers] of [
  ['nobody has sent', sized(MIB), false],
  ['has a key and was not sent', sized(MIB, { claim: { key: 'k', token: 't', tries: 0 } }), false],
  ['may have arrived', sized(MIB, { claim: { key: 'k', token: 't', tries: 1 } }), true],
  ['may have been relayed', sized(MIB, { relayed: true }), true],
  ['is in the database', sized(MIB), true],
] as const) {
  test(`last words: a blob too large that ${name} ${isInOthers ? 'keeps' : 'loses'} the checkpoint’s place`, () => {
    const text = lastWords([{ blob, whole: name !== 'is in the database' }], 7, 'tail');
    assert.equal(readLastWords(text)?.sealed, isInOthers ? 7 : -1);
  });
}

for (const text of [
  undefined,
  '',
  'null',
  '{',
  '7',
  '[]',
  '{"v":2,"blobs":{}}',
  '{"v":1}',
  '{"v":1,"blobs":"all"}',
  '{"v":1,"blobs":null}',
  '{"v":1,"blobs":{"a":null}}',
  '{"v":1,"blobs":{"a":"b"}}',
  '{"v":1,"blobs":{},"gone":"a"}',
]) {
  test(`last words: ${text} is none of ours`, () => {
    assert.equal(readLastWords(text), undefined);
  });
}

test('last words: what is no base64 is no bytes', () => {
  for (const text of ['%', 'a', 'ä']) assert.equal(bytesOf(text), undefined);
});
