import assert from 'node:assert/strict';
import { test } from 'node:test';
import { momentsOf, placeFlags } from './moments.mjs';
import { readPageFacts } from './page-facts.mjs';
import { attributes, pageTrace, span } from './testing/page-trace.mjs';

const AXIS = { start: 0n, duration: 1_000n };
const moment = (time, label = 'LCP 1.2 s') => ({ kind: 'vital', label, time: BigInt(time) });
const place = (moments, width = 1_000) =>
  placeFlags(moments, AXIS, width).flags.map(({ left, lane, flipped }) => [left, lane, flipped]);

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
    momentsOf(readPageFacts(spans)).map(({ kind, label, detail }) => [kind, label, detail]),
    [
      ['interaction', 'click Trowel', 'click Trowel'],
      ['vital', 'LCP 1.24 s', 'LCP 1.24 s, needs improvement'],
      ['error', `TypeError: ${'x'.repeat(16)}…`, `TypeError: ${'x'.repeat(100)}`],
    ],
  );
});

test('moments: what has no time has no flag', () => {
  const timeless = span({ attributes: attributes({ 'spandrel.activity.type': 'load' }) });
  timeless.events = [{ name: 'exception', time: undefined, attributes: [] }];
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
  );
  assert.deepEqual([flags.length, laneCount, hiddenCount], [4, 4, 5]);
});
