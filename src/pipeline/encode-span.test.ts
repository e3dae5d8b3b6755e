import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HrTime } from '@opentelemetry/api';
import { encodeAll, handMade, SECONDS, TRACE_ID } from '../testing/encoding.js';

test('encode: 64-bit integers are strings, and what is empty or zero is not written', () => {
  const { trace: encoded } = encodeAll([handMade({ attributes: { port: 443 } })]);
  assert.equal(
    encoded?.json,
    '{"resource":{},"scopeSpans":[{"scope":{"name":"tests"},"spans":[' +
      `{"traceId":"${TRACE_ID}","spanId":"00f067aa0ba902b7","flags":257,"name":"work","kind":1,` +
      '"startTimeUnixNano":"1790000000000000005","endTimeUnixNano":"1790000000000000007",' +
      '"attributes":[{"key":"port","value":{"intValue":"443"}}]}]}]}',
  );
});

for (const [name, time, expected] of [
  ['nanoseconds over a second', [SECONDS, 2_000_000_001], '1790000002000000001'],
  ['fractions', [SECONDS + 0.5, 1.5], '1790000000000000001'],
  ['the first second of 1970', [0, 5], '5'],
  ['few nanoseconds', [1, 5], '1000000005'],
  ['the last fixed64 second', [18_446_744_072, 999_999_999], '18446744072999999999'],
] as const) {
  test(`encode: ${name} in a time`, () => {
    const time_ = time as unknown as HrTime;
    const { spans } = encodeAll([handMade({ startTime: time_, endTime: time_ })]);
    assert.equal(spans[0]?.startTimeUnixNano, expected);
  });
}

test('encode: an end before its start becomes the start', () => {
  const { spans, trace: encoded } = encodeAll([handMade({ startTime: [SECONDS, 9], endTime: [SECONDS, 3] })]);
  assert.equal(spans[0]?.endTimeUnixNano, '1790000000000000009');
  assert.equal(encoded?.summary.durationMs, 0);
});

test('encode: events without a time and links without ids are left out and counted', () => {
  const bad = { traceId: 'x', spanId: 'y', traceFlags: 1 };
  const { spans } = encodeAll([
    handMade({
      events: [{ name: 'bad', time: [Number.NaN, 0] }],
      links: [{ context: bad }],
      droppedEventsCount: 2,
      droppedLinksCount: Number.NaN,
    }),
  ]);
  assert.equal(spans[0]?.events, undefined);
  assert.equal(spans[0]?.droppedEventsCount, 3);
  assert.equal(spans[0]?.links, undefined);
  assert.equal(spans[0]?.droppedLinksCount, 1);
});
