import assert from 'node:assert/strict';
import { test } from 'node:test';
import { momentsOf, placeFlags } from './moments.mjs';
import { readPageFacts } from './page-facts.mjs';
import { attributes, pageTrace, span } from './testing/page-trace.mjs';

const AXIS = { start: 0n, duration: 1_000n };
/** @returns {import('./moments.mjs').Moment} */
const moment = (time, label = 'LCP 1.2 s') => ({
  kind: 'vital',
  label,
  rated: '',
  rating: '',
  time: BigInt(time),
  spanId: '',
});
const widthOf = (label) => label.length * 7;
const place = (moments, width = 1_000) =>
  placeFlags(moments, AXIS, width, widthOf).flags.map(({ left, lane, flipped }) => [left, lane, flipped]);

test('moments: the click, the vitals and the errors of a trace, in the order of time', () => {
  const vital = span({
    end: 3_000n,
    attributes: attributes({
      'browser.web_vital.name': 'LCP',
      'browser.web_vital.value': 1_240,
      'browser.web_vital.rating': 'needs-improvement',
    }),
  });
  const spans = [...pageTrace({ kind: 'route', clicked: 'Trowel', errors: ['x'.repeat(100)] }), vital];
  assert.deepEqual(
    momentsOf(readPageFacts(spans)).map(({ kind, label, rated }) => [kind, label, rated]),
    [
      ['interaction', 'click Trowel', ''],
      ['vital', 'LCP 1.24 s', 'needs improvement'],
      ['error', `TypeError: ${'x'.repeat(100)}`, ''],
    ],
  );
});

test('moments: what has no time has no flag', () => {
  const timeless = span({ attributes: attributes({ 'spandrel.activity.type': 'load' }) });
  timeless.events = [{ name: 'exception', time: undefined, attributes: [], droppedAttributes: 0 }];
  assert.deepEqual(momentsOf(readPageFacts([timeless])), []);
});

test('flags: one that would cover another takes the next lane', () => {
  const [first, second, third] = place([moment(0), moment(50), moment(300)]);
  assert.deepEqual(
    [first, second, third],
    [
      [0, 0, false],
      [5, 1, false],
      [30, 0, false],
    ],
  );
});

test('flags: one that would leave the track at its end stands to the left of its moment', () => {
  assert.deepEqual(place([moment(990)]), [[99, 0, true]]);
  // And where there is no room on either side it does not.
  assert.deepEqual(place([moment(300)], 60), [[30, 0, false]]);
});

test('flags: more than four lanes are counted instead', () => {
  const { flags, laneCount, hiddenCount } = placeFlags(
    Array.from({ length: 9 }, () => moment(500)),
    AXIS,
    1_000,
    widthOf,
  );
  assert.deepEqual([flags.length, laneCount, hiddenCount], [4, 4, 5]);
});

// Tried as well: texts of one and of many letters, wide letters, no room at all.
test('flags: none reaches another of its lane, or beyond the track, whatever it says', () => {
  const labels = ['!', 'LCP 1.2 s', 'WWWWWWWWWWWWWWWW', 'x'.repeat(5_000), '長い名前のボタン'];
  const moments = Array.from({ length: 40 }, (_, index) => moment(index * 25, labels[index % labels.length]));
  for (let width = 0; width <= 1_500; width += 13) {
    const taken = [[], [], [], []];
    for (const { left, lane, flipped, room } of placeFlags(moments, AXIS, width, (text) => text.length * 12)
      .flags) {
      const x = (left / 100) * width;
      const [from, to] = flipped ? [x - room, x] : [x, x + room];
      assert.ok(from >= -0.01 && to <= width + 0.01, `${from} to ${to} of ${width}`);
      for (const [start, end] of taken[lane]) assert.ok(to <= start + 0.01 || from >= end - 0.01);
      taken[lane].push([from, to]);
    }
  }
});
