import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { START, testEvents } from '../testing/event-spans.js';
import {
  createIds,
  fold,
  hexOfWord,
  type Word,
  wordOf,
  wordOfInteger,
  wordOfText,
  wordOfTime,
} from './ids.js';

/** splitmix64 and its fold once more, by BigInt: the definition, and nothing else. */
const U64 = (value: bigint): bigint => BigInt.asUintN(64, value);
function mix(value: bigint): bigint {
  let z = U64(value + 0x9e3779b97f4a7c15n);
  z = U64((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = U64((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}
const folded = (...words: bigint[]): bigint => words.reduce((z, word) => mix(z ^ word), 0n) || 1n;
const wordOfBig = (value: bigint): Word => ({
  high: Number(BigInt.asIntN(32, value >> 32n)),
  low: Number(BigInt.asIntN(32, value)),
});
const hex = (value: bigint): string => U64(value).toString(16).padStart(16, '0');

/** Nanoseconds as a time. */
const nanos = (count: number): [number, number] => [Math.floor(count / 1e9), count % 1e9];

test("ids: the seed's check vectors", () => {
  const ids = createIds(wordOfInteger(123), wordOfInteger(456), nanos(1_000));
  assert.equal(ids.traceId, '3c4c80216a2780193733f368a185bdfe');
  assert.equal(ids.rootId, '2084920fe00c0faf');
  assert.equal(hexOfWord(fold(...[11, 22, 456, 1_100].map(wordOfInteger))), 'c4bd1f0003e39424');
});

test('ids: splitmix64 is that of its author', () => {
  // The first three outputs for the seed 1234567, as Rosetta Code has them.
  const gamma = 0x9e3779b97f4a7c15n;
  const outputs = [0n, 1n, 2n].map((step) => fold(wordOfBig(U64(1_234_567n + step * gamma))));
  const expected = [6457827717110365317n, 3203168211198807973n, 9817491932198370423n];
  assert.deepEqual(outputs.map(hexOfWord), expected.map(hex));
});

test('ids: halves of 32 bits make what BigInt makes', () => {
  const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  fc.assert(
    fc.property(word, word, word, word, (a, b, c, d) => {
      const ours = fold(wordOfBig(a), wordOfBig(b), wordOfBig(c), wordOfBig(d));
      assert.equal(hexOfWord(ours), hex(folded(a, b, c, d)));
    }),
  );
});

test('ids: what a track and an operation are made of, the second time with further words', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.string(),
      fc.string(),
      fc.integer({ min: 0, max: 18_446_744_072 }),
      (pid, track, id, s) => {
        const big = (word: Word): bigint => BigInt(`0x${hexOfWord(word)}`);
        const ids = createIds(wordOfInteger(pid), wordOfText('main'), nanos(1_000));
        const high = BigInt(`0x${ids.traceId.slice(0, 16)}`);
        const low = BigInt(`0x${ids.traceId.slice(16)}`);
        const at: [number, number] = [s, 999_999_999];
        const words = [low, big(wordOfText(track)), BigInt(s) * 1_000_000_000n + 999_999_999n];
        const ofTrack = [high ^ 0x7468726561640000n, ...words];
        assert.equal(ids.trackId(wordOfText(track), at), hex(folded(...ofTrack)));
        assert.equal(ids.trackId(wordOfText(track), at), hex(folded(...ofTrack, 2n)));
        const operation = (): string =>
          ids.operationId(ids.trackSeed(wordOfText(track)), at, wordOfText('x'), wordOfText(id));
        const named = [big(wordOfText('x')), big(wordOfText(id))];
        assert.equal(operation(), hex(folded(high, ...words)));
        assert.equal(operation(), hex(folded(high, ...words, ...named, 4n)));
      },
    ),
  );
});

test('ids: zero becomes one', () => {
  // The word that splitmix64 turns into 0: its mixing is 0 for 0 only, so the sum with gamma must be 0.
  assert.equal(hexOfWord(fold(wordOfBig(U64(-0x9e3779b97f4a7c15n)))), '0000000000000001');
});

test('ids: texts by FNV-1a, as its authors have it', () => {
  // From the test vectors in the specification's source code.
  const vectors = {
    '': 'cbf29ce484222325',
    a: 'af63dc4c8601ec8c',
    foobar: '85944171f73967e8',
    'chongo was here!\n': '46810940eff5f915',
  };
  for (const [text, hash] of Object.entries(vectors)) assert.equal(hexOfWord(wordOfText(text)), hash);
  let byUtf8 = 0xcbf29ce484222325n;
  const text = 'ascii, dann ümlaut 漢字 😀';
  for (const byte of Buffer.from(text)) byUtf8 = U64((byUtf8 ^ BigInt(byte)) * 0x100000001b3n);
  assert.equal(hexOfWord(wordOfText(text)), hex(byUtf8));
});

test('ids: whole numbers are themselves, other numbers are texts', () => {
  for (const value of [0, 1, -1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, -(2 ** 53) + 1]) {
    assert.equal(hexOfWord(wordOf(value)), hex(BigInt(value)));
  }
  assert.deepEqual(wordOf(1.5), wordOfText('1.5'));
  assert.notDeepEqual(wordOf('7'), wordOf(7));
});

test('ids: times are nanoseconds since 1970, to the last that OTLP has', () => {
  for (const time of [
    [0, 0],
    [0, 999_999_999],
    [1_790_000_000, 1],
    [18_446_744_073, 709_551_615],
  ] as [number, number][]) {
    assert.equal(hexOfWord(wordOfTime(time)), hex(BigInt(time[0]) * 1_000_000_000n + BigInt(time[1])));
  }
});

// The seed's own: what Vivarium exports of such a session has these ids, so both can be joined.
test("ids: the seed's, through EventSpans", () => {
  const { spans, begun } = testEvents({
    session: { id: 123, startedAt: 0.001 },
    mainTrack: 456,
    track: 'tid',
  });
  spans.handle('main.started', {}, 0.0011);
  spans.handle('worker.started', { tid: 789 }, 0.0012);
  spans.handle('inner.started', { tid: 789 }, 0.0013);
  const [high, low] = [0x3c4c80216a278019n, 0x3733f368a185bdfen];
  const thread = high ^ 0x7468726561640000n;
  assert.deepEqual(
    begun.map(({ span }) => [span.name, span.spanContext().traceId, span.spanContext().spanId]),
    [
      ['session', '2084920fe00c0faf'],
      ['456', hex(folded(thread, low, 456n, 1_000n))],
      ['main', hex(folded(high, low, 456n, 1_100n))],
      ['789', hex(folded(thread, low, 789n, 1_200n))],
      ['worker', hex(folded(high, low, 789n, 1_200n))],
      ['inner', hex(folded(high, low, 789n, 1_300n))],
    ].map(([name, id]) => [name, '3c4c80216a2780193733f368a185bdfe', id]),
  );
});

test('ids: no two alike where clocks are coarse, go back, or a track begins anew', () => {
  const play = (): string[] => {
    const { spans, begun } = testEvents({ track: 'tid' });
    for (const at of [5, 5, 5, 4, 5, 6, 4]) {
      spans.handle('step.started', {}, START + at);
      spans.record('done', {}, START + at, START + at);
      spans.handle('in.started', { tid: 7 }, START + at);
      spans.endTrack(7, START + at);
    }
    spans.finalize(START + 10);
    return begun.map(({ span }) => span.spanContext().spanId);
  };
  const ids = play();
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(play(), ids, 'a replay has the same');
});
