import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRetryAfter } from './retry-after.js';

const NOW = Date.parse('Fri, 31 Dec 1999 23:59:00 GMT');

// The first two values are the examples of RFC 9110, section 10.2.3.
for (const [value, date, expected] of [
  ['120', undefined, 120_000],
  ['Fri, 31 Dec 1999 23:59:59 GMT', undefined, 59_000],
  ['Fri, 31 Dec 1999 23:59:59 GMT', 'Fri, 31 Dec 1999 23:59:49 GMT', 10_000],
  ['Fri, 31 Dec 1999 23:59:59 GMT', 'no date', 59_000],
  [' 5 ', undefined, 5_000],
  ['0', undefined, 0],
  ['Fri, 31 Dec 1999 23:00:00 GMT', undefined, 0],
  ['999999999', undefined, 999_999_999_000],
  ['soon', undefined, undefined],
  ['', undefined, undefined],
] as const) {
  test(`retry-after: Retry-After "${value.slice(0, 40)}"${date ? ` at ${date}` : ''} is ${expected} ms`, () => {
    const headers = new Headers({ 'retry-after': value, ...(date ? { date } : {}) });
    assert.equal(parseRetryAfter(headers, NOW), expected);
  });
}

test('retry-after: no Retry-After is undefined', () => {
  assert.equal(parseRetryAfter(new Headers(), NOW), undefined);
});
