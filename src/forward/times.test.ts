import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Json, nanosAt, RECEIVED_AT, request, span, spansIn } from '../testing/forward.js';
import { clampTimes, EARLIEST_MILLIS, findBadTimes, MAX_AHEAD_MILLIS } from './times.js';

const DEPS = { receivedAtMillis: RECEIVED_AT, nowMillis: RECEIVED_AT + 5_000 };
const MARK = { key: 'spandrel.ingest.time_clamped', value: { boolValue: true } };
const timed = (start: unknown, end: unknown, fields: object = {}): Json =>
  span(0, 0, { startTimeUnixNano: start, endTimeUnixNano: end, ...fields });
const timesOf = ({ startTimeUnixNano, endTimeUnixNano }: Json): unknown[] => [
  startTimeUnixNano,
  endTimeUnixNano,
];
/** Milliseconds of 1970. */
const nanos = (millis: number): string => `${millis}000000`;

function clamped(...spans: Json[]): Json[] {
  const json = request(spans);
  clampTimes(json, DEPS);
  return spansIn(json);
}

test('times: those that a clock can show stay, to the edges', () => {
  const latest = nanosAt(5_000 + MAX_AHEAD_MILLIS);
  const cases = [
    [nanosAt(-10), nanosAt(-10)],
    [nanos(EARLIEST_MILLIS), latest],
    [RECEIVED_AT, RECEIVED_AT].map((millis) =>
      Number(nanos(millis)).toLocaleString('fullwide', { useGrouping: false }),
    ),
  ];
  for (const [start, end] of cases) {
    const one = timed(start, end, { events: [{ timeUnixNano: nanosAt(-8) }] });
    assert.equal(findBadTimes(request([one]), DEPS), undefined);
    assert.deepEqual(clamped(structuredClone(one)), [one]);
  }
});

test('times: a clock that is wrong by years is set right for all of its spans at once', () => {
  const ancient = nanos(0).padStart(7, '0');
  const [root, child] = clamped(
    timed('1000000000', '9000000001', {
      events: [{ timeUnixNano: '2000000000' }, { timeUnixNano: nanosAt(-1) }],
    }),
    timed('3000000007', '4000000000'),
  );
  const received = BigInt(RECEIVED_AT) * 1_000_000n;
  assert.deepEqual(timesOf(root), [String(received - 8_000_000_001n), String(received)]);
  assert.deepEqual(timesOf(child), [String(received - 5_999_999_994n), String(received - 5_000_000_001n)]);
  assert.equal(root.events[0].timeUnixNano, String(received - 7_000_000_001n));
  assert.equal(root.events[1].timeUnixNano, nanosAt(-1));
  for (const { attributes } of [root, child]) assert.deepEqual(attributes.at(-1), MARK);
  const [ahead] = clamped(timed('18000000000000000000', '18000000001000000000'));
  assert.deepEqual(timesOf(ahead), [String(received - 1_000_000_000n), String(received)]);
  assert.deepEqual(timesOf(clamped(timed(ancient, undefined))[0]), [String(received), String(received)]);
});

test('times: of two clocks in an object one is believed, and the rest comes as near as may be', () => {
  const [early, late] = clamped(timed('5', '6'), timed('18000000000000000000', '18000000001000000000'));
  assert.deepEqual(timesOf(early), [nanos(EARLIEST_MILLIS), nanos(EARLIEST_MILLIS)]);
  assert.deepEqual(timesOf(late), [nanosAt(-1_000), nanosAt(0)]);
});

test('times: a good time stands in for a bad one, and no span ends before it starts', () => {
  const good = nanosAt(-10);
  assert.deepEqual(timesOf(clamped(timed('0', good))[0]), [good, good]);
  assert.deepEqual(timesOf(clamped(timed(good, '0'))[0]), [good, good]);
  assert.deepEqual(timesOf(clamped(timed(good, nanosAt(-11)))[0]), [good, good]);
  const [digits] = clamped(timed(`${good.slice(0, -1)}1`, good));
  assert.deepEqual(timesOf(digits), [`${good.slice(0, -1)}1`, `${good.slice(0, -1)}1`]);
  const [{ events, attributes }] = clamped(timed(good, good, { events: [{ timeUnixNano: '7' }, {}] }));
  assert.deepEqual(events, [{ timeUnixNano: good }, { timeUnixNano: good }]);
  assert.deepEqual(attributes.at(-1), MARK);
});

test('times: a bad one is found by its place', () => {
  const json = request([timed(nanosAt(0), nanosAt(0)), timed('0', '0')]);
  const { reason, message } = findBadTimes(json, DEPS) ?? {};
  assert.equal(reason, 'not-otlp');
  assert.equal(message, '$.resourceSpans[0].scopeSpans[0].spans[1] has times that no clock shows');
});
