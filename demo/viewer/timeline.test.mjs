import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  axisTicks,
  formatBytes,
  formatDuration,
  logShare,
  placeInstant,
  placeSpan,
  toEpochMillis,
} from './timeline.mjs';

test('durations: written in the unit that fits', () => {
  const cases = [
    [0n, '0 ns'],
    [999n, '999 ns'],
    [1_500n, '1.5 µs'],
    [12_340_000n, '12.3 ms'],
    [999_000_000n, '999 ms'],
    [2_520_000_000n, '2.52 s'],
    [65_000_000_000n, '1 min 5 s'],
    [3_600_000_000_000n, '1 h'],
    [90_000_000_000_000n, '1 d 1 h'],
    [-1_000n, '−1 µs'],
    [2n ** 64n, '213503 d 23 h'],
  ];
  for (const [nanos, text] of /** @type {[bigint, string][]} */ (cases))
    assert.equal(formatDuration(nanos), text);
});

/** As wide as the digits of the widest system font at 12 px. */
const widthOf = (label) => label.length * 8;

test('axis: ticks are at round times, as many as there is room for', () => {
  const labels = (width) => axisTicks(2_500_000_000n, width, widthOf).map(({ label }) => label);
  assert.deepEqual(labels(600), ['0', '500 ms', '1 s', '1.5 s', '2 s', '2.5 s']);
  assert.deepEqual(labels(240), ['0', '1 s', '2 s']);
  assert.deepEqual(labels(120), ['0', '2 s']);
  assert.deepEqual(labels(40), ['0']);
  assert.deepEqual(labels(0), ['0']);
});

// Tried as well: an axis of nothing, of one nanosecond, of days; labels of two units; a last label on the very end.
test('axis: no label reaches the next, or beyond the end, at any width', () => {
  const durations = [0n, 1n, 2n, 7n, 999n, 1_000_000n, 123_456_789n, 617_000_000n, 65n * 10n ** 9n];
  for (const duration of [...durations, 4_000n * 10n ** 9n, 10n ** 14n, 3n * 10n ** 14n, 2n ** 64n]) {
    for (let width = 0; width <= 2_000; width += 7) {
      let end = 0;
      for (const { percent, label, flipped } of axisTicks(duration, width, widthOf)) {
        assert.ok(percent >= 0 && percent <= 100);
        const x = (percent / 100) * width;
        const [from, to] = flipped ? [x - widthOf(label), x] : [x, x + widthOf(label)];
        assert.ok(from >= end, `${label} of ${duration} ns in ${width} px`);
        assert.ok(to <= width || label === '0', `${label} of ${duration} ns ends in ${width} px`);
        end = to;
      }
    }
  }
});

test('axis: one nanosecond shows on instants of today', () => {
  const start = 1_795_232_485_540_000_000n;
  const place = placeSpan({ start: start + 1n, end: start + 3n }, { start, duration: 4n });
  assert.deepEqual(place, { left: 25, width: 50, nanos: 2n, note: '' });
});

test('axis: places stay within it, whatever the times', () => {
  const axis = { start: 1000n, duration: 100n };
  assert.equal(placeInstant(2n ** 64n, axis), 100);
  assert.equal(placeInstant(1n, axis), 0);
  assert.equal(placeInstant(1n, { start: 0n, duration: 0n }), 0);
});

test('axis: missing and backward times are marked', () => {
  const axis = { start: 1000n, duration: 100n };
  const note = (start, end) => placeSpan({ start, end }, axis).note;
  assert.equal(note(undefined, undefined), 'no times');
  assert.equal(note(undefined, 1050n), 'no start');
  assert.equal(note(1050n, undefined), 'no end');
  assert.equal(note(1050n, 1040n), 'negative');
  assert.equal(placeSpan({ start: 1050n, end: 1040n }, axis).width, 0);
});

test('shares: logarithmic, so that short ones show beside a long one', () => {
  assert.equal(logShare(60_000_000_000n, 60_000_000_000n), 100);
  assert.ok(logShare(60_000_000n, 60_000_000_000n) > 30);
  assert.equal(logShare(0n, 5n), 0);
  assert.equal(logShare(0n, 0n), 0);
});

test('instants: beyond what a Date holds there is none', () => {
  assert.equal(toEpochMillis(1_700_000_000_123_456_789n), 1_700_000_000_123);
  assert.equal(toEpochMillis(10n ** 22n), undefined);
});

test('bytes: in thousands', () => {
  assert.deepEqual([0, 999, 1025, 12_400, 2_500_000, Number.NaN].map(formatBytes), [
    '0 B',
    '999 B',
    '1.02 kB',
    '12.4 kB',
    '2.5 MB',
    '0 B',
  ]);
});
