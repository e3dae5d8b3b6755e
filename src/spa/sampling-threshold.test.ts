import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTraceState } from '@opentelemetry/api';
import {
  explicitRandomness,
  isKept,
  probabilityOf,
  randomnessOf,
  stateAfter,
  thresholdOf,
} from './sampling-threshold.js';

/** From the table of the specification, at its precision of 4: 1 in N, threshold, actual probability. */
const TABLE: [number, string, number][] = [
  [1, '0', 1],
  [2, '8', 0.5],
  [3, 'aaab', 0.3333282470703125],
  [4, 'c', 0.25],
  [5, 'cccd', 0.1999969482421875],
  [8, 'e', 0.125],
  [10, 'e666', 0.100006103515625],
  [16, 'f', 0.0625],
  [100, 'fd70a', 0.010000228881835938],
  [1_000, 'ffbe77', 0.0009999871253967285],
  [10_000, 'fff9724', 0.00010000169277191162],
  [100_000, 'ffff583a', 1.00000761449337e-5],
  [1_000_000, 'ffffef39', 1.00000761449337e-6],
];

for (const [count, threshold, probability] of TABLE) {
  test(`threshold: 1 in ${count} is ${threshold}`, () => {
    assert.equal(thresholdOf(1 / count), threshold);
    assert.equal(probabilityOf(threshold), probability);
  });
}

test('threshold: the ends of the range are thresholds too', () => {
  assert.equal(thresholdOf(1 - 2 ** -20), '0');
  assert.equal(thresholdOf(0.9999), '0007');
  for (const rate of [2 ** -50, 2 ** -56, Number.MIN_VALUE]) assert.equal(thresholdOf(rate), 'f'.repeat(12));
});

test('threshold: kept is what is not below it, digit by digit of 56 bits', () => {
  // The specification's example: a rejection threshold of 0xfd70a400000000.
  assert.equal(isKept('fd70a400000000', 'fd70a4'), true);
  assert.equal(isKept('fd70a3ffffffff', 'fd70a4'), false);
  assert.equal(isKept('00000000000000', '0'), true);
  assert.equal(isKept('7fffffffffffff', '8'), false);
  assert.equal(isKept('80000000000000', '8'), true);
});

test('randomness: the last 7 bytes of a trace id or UUID, or what the trace state says in so many words', () => {
  assert.equal(randomnessOf('0af7651916cd43dd8448eb211c80319c'), '48eb211c80319c');
  assert.equal(randomnessOf('0AF76519-16CD-43DD-8448-EB211C80319C'), '48eb211c80319c');
  for (const id of ['', 'user 7', 'b211c80319c']) assert.equal(randomnessOf(id), undefined);
  const of = (text: string) => explicitRandomness(createTraceState(text));
  assert.equal(of('ot=th:8;rv:48eb211c80319c,congo=t61'), '48eb211c80319c');
  assert.equal(of('ot=rv:48EB211C80319C'), '48eb211c80319c');
  for (const text of ['', 'ot=', 'ot=rv:48eb', 'ot=xrv:48eb211c80319c', 'ot=rv:48eb211c80319g', 'rv=1']) {
    assert.equal(of(text), undefined, text);
  }
});

const STATES: [string, string | undefined, string | undefined, string | undefined][] = [
  ['', 'e666', undefined, 'ot=th:e666'],
  ['', 'e666', '48eb211c80319c', 'ot=th:e666;rv:48eb211c80319c'],
  ['', undefined, '48eb211c80319c', 'ot=rv:48eb211c80319c'],
  ['', '0', undefined, undefined],
  ['', undefined, undefined, undefined],
  ['congo=t61', '0', undefined, 'ot=th:0,congo=t61'],
  ['rojo=00f0,congo=t61', 'e666', undefined, 'ot=th:e666,rojo=00f0,congo=t61'],
  [
    'congo=t61,ot=th:8;rv:11111111111111;k1:13',
    'e666',
    undefined,
    'ot=th:e666;rv:11111111111111;k1:13,congo=t61',
  ],
  ['ot=th:8;rv:11111111111111', undefined, undefined, 'ot=rv:11111111111111'],
  ['ot=rv:11111111111111', 'e666', '48eb211c80319c', 'ot=th:e666;rv:11111111111111'],
  ['ot=rv:nonsense;p:8', 'c', undefined, 'ot=th:c;p:8'],
  ['congo=t61,ot=th:8', undefined, undefined, 'congo=t61'],
  [`ot=a:${'x'.repeat(250)}`, 'e666', undefined, ''],
];

for (const [before, threshold, randomness, after] of STATES) {
  test(`trace state: ${before || 'none'} after ${threshold} by ${randomness}`, () => {
    const state = before ? createTraceState(before) : undefined;
    assert.equal(stateAfter(state, threshold, randomness)?.serialize(), after);
    assert.equal(state?.serialize(), before || undefined, 'the parent’s own is not touched');
  });
}
