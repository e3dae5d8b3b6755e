import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { quoteLongIntegers } from './exact.js';

test('otlp: long integers are quoted outside of texts, and nothing else is', () => {
  for (const [json, expected] of [
    ['[1544712660000000000]', '["1544712660000000000"]'],
    [
      '{"a":-9223372036854775808,"b": 18446744073709551615 }',
      '{"a":"-9223372036854775808","b": "18446744073709551615" }',
    ],
    ['[123456789012345,1234567890123456]', '[123456789012345,"1234567890123456"]'],
    ['{"a":" 1544712660000000000","b":",\\":1544712660000000000"}', undefined],
    ['[1544712660000000000.5,1544712660000000000e3,1.5447126600000000001]', undefined],
    ['["\\\\",1544712660000000000]', '["\\\\","1544712660000000000"]'],
    ['[1544712660000000000', '["1544712660000000000"'],
    ['-1544712660000000000', undefined],
    ['', undefined],
  ] as const)
    assert.equal(quoteLongIntegers(json), expected ?? json);
});

test('otlp: whatever JSON there is says the same afterwards, but for its long integers', () => {
  fc.assert(
    fc.property(fc.json(), fc.bigInt({ min: 10n ** 15n, max: 10n ** 22n }), (json, integer) => {
      const [first, second] = JSON.parse(quoteLongIntegers(`[${integer},${json}]`));
      assert.deepEqual([first, second], [String(integer), JSON.parse(quoteLongIntegers(`[${json}]`))[0]]);
      const short = JSON.stringify(JSON.parse(`[${json}]`.replace(/\d{16,}/g, '1')));
      assert.equal(quoteLongIntegers(short), short);
    }),
    { numRuns: 500 },
  );
});

test('otlp: what is no JSON takes no longer than its length lets expect', () => {
  const started = process.cpuUsage().user;
  for (const text of ['"\\"', '\\"', ':1234567890123456', '-', '1e', '"'])
    quoteLongIntegers(`,1234567890123456${text.repeat(200_000)}`);
  assert.ok(process.cpuUsage().user - started < 2_000_000);
});
