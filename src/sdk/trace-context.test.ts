import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTraceparent, parseTracestate, traceparentOf } from './trace-context.js';

const TRACE_ID = '12345678901234567890123456789012';
const SPAN_ID = '1234567890123456';

// The cases of the W3C's own test suite: https://github.com/w3c/trace-context/blob/main/test/test.py
const VALID = [
  `00-${TRACE_ID}-${SPAN_ID}-01`,
  ` 00-${TRACE_ID}-${SPAN_ID}-01`,
  `\t00-${TRACE_ID}-${SPAN_ID}-01`,
  `00-${TRACE_ID}-${SPAN_ID}-01 `,
  `00-${TRACE_ID}-${SPAN_ID}-01\t`,
  ` \t00-${TRACE_ID}-${SPAN_ID}-01\t `,
  `cc-${TRACE_ID}-${SPAN_ID}-01`,
  `cc-${TRACE_ID}-${SPAN_ID}-01-what-the-future-will-be-like`,
];
const INVALID = [
  '',
  `cc-${TRACE_ID}-${SPAN_ID}-01.what-the-future-will-not-be-like`,
  `ff-${TRACE_ID}-${SPAN_ID}-01`,
  ...['.0', '0.', '000', '0000', '0', '0A'].map((version) => `${version}-${TRACE_ID}-${SPAN_ID}-01`),
  ...[
    '0'.repeat(32),
    `.${TRACE_ID.slice(1)}`,
    `${TRACE_ID.slice(1)}.`,
    `${TRACE_ID}3`,
    TRACE_ID.slice(1),
    TRACE_ID.replace('1', 'A'),
  ].map((traceId) => `00-${traceId}-${SPAN_ID}-01`),
  ...[
    '0'.repeat(16),
    `.${SPAN_ID.slice(1)}`,
    `${SPAN_ID.slice(1)}.`,
    `${SPAN_ID}7`,
    SPAN_ID.slice(1),
    SPAN_ID.replace('1', 'F'),
  ].map((spanId) => `00-${TRACE_ID}-${spanId}-01`),
  ...['.0', '0.', '001', '1', '0A', ''].map((flags) => `00-${TRACE_ID}-${SPAN_ID}-${flags}`),
  `00-${TRACE_ID}-${SPAN_ID}`,
  `00-${TRACE_ID}-${SPAN_ID}-01.`,
  `00-${TRACE_ID}-${SPAN_ID}-01-what-the-future-will-be-like`,
  `00-${TRACE_ID}-${SPAN_ID}-01,00-${TRACE_ID}-${SPAN_ID}-01`,
  // As the Fetch standard joins several headers of that name.
  `00-${TRACE_ID.replace('2', '1')}-${SPAN_ID}-01, 00-${TRACE_ID}-${SPAN_ID}-01`,
  `cc-${TRACE_ID}-${SPAN_ID}-01-future, cc-${TRACE_ID}-${SPAN_ID}-01`,
];

test('traceparent: what the standard calls valid is read', () => {
  for (const text of VALID) {
    assert.deepEqual(
      parseTraceparent(text),
      { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1, isRemote: true },
      text,
    );
  }
});

test('traceparent: what the standard calls invalid is not', () => {
  for (const text of INVALID) assert.equal(parseTraceparent(text), undefined, text);
  assert.equal(parseTraceparent(null), undefined);
  assert.equal(parseTraceparent(undefined), undefined);
});

test('traceparent: of the flags, sampled and random are known, and of a later version sampled', () => {
  const flags = (version: string, text: string) =>
    parseTraceparent(`${version}-${TRACE_ID}-${SPAN_ID}-${text}`)?.traceFlags;
  assert.equal(flags('00', '00'), 0);
  assert.equal(flags('00', '02'), 2);
  assert.equal(flags('00', '03'), 3);
  assert.equal(flags('00', 'fe'), 2);
  assert.equal(flags('00', 'ff'), 3);
  assert.equal(flags('01', 'ff'), 1);
});

test('traceparent: what is written is read as it was, whatever the context', () => {
  const id = (length: number) =>
    fc
      .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
      .filter((text) => /[^0]/.test(text));
  fc.assert(
    fc.property(id(32), id(16), fc.integer({ min: 0, max: 3 }), (traceId, spanId, traceFlags) => {
      const context = { traceId, spanId, traceFlags };
      assert.deepEqual(parseTraceparent(traceparentOf(context)), { ...context, isRemote: true });
    }),
  );
});

const read = (text: string) => parseTracestate(text)?.serialize();
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => String.fromCharCode(from + at)).join('');
const numbered = (count: number) =>
  Array.from({ length: count }, (_, at) => `bar${String(at + 1).padStart(2, '0')}=${at + 1}`);

test('tracestate: members stand in their order, white space and empty ones left out', () => {
  for (const [text, expected] of [
    ['foo=1', 'foo=1'],
    ['foo=1,bar=2', 'foo=1,bar=2'],
    ['foo=1,bar=2, rojo=1,congo=2, baz=3', 'foo=1,bar=2,rojo=1,congo=2,baz=3'],
    ['foo=1 \t , \t bar=2, \t baz=3', 'foo=1,bar=2,baz=3'],
    ['foo=1\t \t,\t \tbar=2,\t \tbaz=3', 'foo=1,bar=2,baz=3'],
    [' foo=1', 'foo=1'],
    ['\tfoo=1', 'foo=1'],
    ['foo=1 ', 'foo=1'],
    ['foo=1\t', 'foo=1'],
    ['\t foo=1 \t', 'foo=1'],
    ['foo=1, ', 'foo=1'],
    [', foo=1', 'foo=1'],
    [',,foo=1,\t,bar=2,', 'foo=1,bar=2'],
    ['foo= 1', 'foo= 1'],
  ] as const) {
    assert.equal(read(text), expected, JSON.stringify(text));
  }
});

test('tracestate: an empty one is none', () => {
  for (const text of ['', ' ', ',', ' ,\t,']) assert.equal(parseTracestate(text), undefined);
  assert.equal(parseTracestate(null), undefined);
});

test('tracestate: of a key that is there twice the first counts', () => {
  assert.equal(read('foo=1,foo=1'), 'foo=1');
  assert.equal(read('foo=1,bar=3,foo=2'), 'foo=1,bar=3');
});

test('tracestate: every character that the standard allows, in keys and in values', () => {
  const key = `${range(0x61, 0x7a)}0123456789_-*/`;
  const value = range(0x20, 0x2b) + range(0x2d, 0x3c) + range(0x3e, 0x7e);
  assert.equal(parseTracestate(`${key}=${value}`)?.get(key), value);
  assert.equal(parseTracestate(`${key}@a-z0-9_-*/=${value}`)?.get(`${key}@a-z0-9_-*/`), value);
  for (const odd of [
    'foo@',
    'foo@@bar',
    'foo@bar@baz',
    '0foo',
    `t@${'v'.repeat(15)}`,
    `${'t'.repeat(242)}@v`,
  ]) {
    assert.equal(read(`${odd}=1,bar=2`), `${odd}=1,bar=2`, odd);
  }
});

test('tracestate: one member that is none makes the whole invalid', () => {
  const invalid = [
    'foo =1',
    'FOO=1',
    'foo.bar=1',
    '@foo=1',
    '=1',
    'foo',
    'foo=',
    'foo=bar=baz',
    '_foo=1',
    '-a=1',
  ];
  invalid.push('foo=\u00e9', 'foo=1\u00a0', '\u00a0foo=1', 'foo=a\tb', 'foo=\u007f', 'foo=\n');
  for (const member of invalid) {
    assert.equal(parseTracestate(`bar=2,${member}`), undefined, JSON.stringify(member));
    assert.equal(parseTracestate(`${member},bar=2`), undefined, JSON.stringify(member));
  }
});

test('tracestate: 32 members, and keys and values of 256 characters, are the most', () => {
  assert.equal(parseTracestate(numbered(32).join())?.serialize(), numbered(32).join());
  assert.equal(parseTracestate(numbered(33).join()), undefined);
  assert.equal(parseTracestate(`foo=1,${'z'.repeat(256)}=1`)?.get('z'.repeat(256)), '1');
  assert.equal(parseTracestate(`foo=1,${'z'.repeat(257)}=1`), undefined);
  assert.equal(parseTracestate(`foo=1,z=${'z'.repeat(256)}`)?.get('z'), 'z'.repeat(256));
  assert.equal(parseTracestate(`foo=1,z=${'z'.repeat(257)}`), undefined);
});

test('tracestate: over 512 characters, long members go first, then the last', () => {
  const long = `long=${'x'.repeat(200)}`;
  const short = numbered(32).map((member) => `${member}${'y'.repeat(8)}`);
  const size = (members: string[]) => members.join().length;
  assert.ok(size(short) > 512 && size(short.slice(0, 30)) <= 512);
  const kept = read([long, ...short.slice(0, 31)].join()) ?? '';
  assert.ok(!kept.includes('long'));
  assert.ok(kept.length <= 512);
  const count = kept.split(',').length;
  assert.equal(kept, short.slice(0, count).join(), 'from the left');
  assert.ok(size(short.slice(0, count + 1)) > 512, 'no more than must');
  assert.equal(
    read([long, 'a=1', long.replace('long', 'also')].join()),
    `${long},a=1,also=${'x'.repeat(200)}`,
  );
  const three = ['one', 'two', 'tri'].map((key) => `${key}=${'x'.repeat(200)}`);
  assert.equal(read(three.join()), three.slice(0, 2).join(), 'of long ones the last');
});

test('tracestate: what is changed moves to the front, and nothing else moves', () => {
  const state = parseTracestate('a=1,b=2,c=3');
  assert.equal(state?.set('b', '4').serialize(), 'b=4,a=1,c=3');
  assert.equal(state?.set('d', '4').serialize(), 'd=4,a=1,b=2,c=3');
  assert.equal(state?.unset('b').serialize(), 'a=1,c=3');
  assert.equal(state?.serialize(), 'a=1,b=2,c=3');
});

test('tracestate: whatever the text, it is read or not, and what is read reads the same again', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab1@=, \t;_\u00e9'), maxLength: 40 }), (text) => {
      const once = read(text);
      if (once !== undefined) assert.equal(read(once), once);
    }),
    { numRuns: 2_000 },
  );
});
