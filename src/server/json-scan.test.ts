import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createTraceScanner } from './json-scan.js';

/** In pieces of this length. */
function scan(bytes: Uint8Array, piece = bytes.length): boolean {
  const scanner = createTraceScanner(bytes.length);
  for (let at = 0; at < bytes.length; at += piece) {
    if (!scanner.push(bytes.subarray(at, at + piece))) return false;
  }
  return scanner.isWhole();
}

/** The oracle: what is decoded and parsed strictly. */
function parses(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const around = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([bytesOf('{"resourceSpans":[{"x":'), bytes, bytesOf('}]}')]);

const json = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }).map((value) => JSON.stringify(value, undefined, 1)),
  fc.constantFrom(
    '0',
    '-0',
    '-0.0e-00',
    '1E+2',
    '[ ]',
    '{ }',
    '"\\u00e9\\ud800"',
    '"\\\\\\""',
    'true',
    'null',
  ),
);
/** Bytes that mean something, so that damage is seldom plain. */
const byte = fc.oneof(
  fc.nat(255),
  fc.constantFrom(...Buffer.from(' \t\n\r{}[]:,"\\/ubfnrt0123456789+-.eEtruefalsn')),
  fc.constantFrom(
    0xc0,
    0xc2,
    0xe0,
    0xed,
    0xef,
    0xf0,
    0xf4,
    0xf5,
    0x80,
    0x8f,
    0x90,
    0x9f,
    0xa0,
    0xbf,
    0x00,
    0x1f,
    0x7f,
  ),
);

test('json scan: takes what JSON.parse takes, and nothing else, however it is cut', async () => {
  let taken = 0;
  let refused = 0;
  const damage = fc.array(fc.tuple(fc.nat(), byte, fc.nat(2)), { maxLength: 2 });
  await fc.assert(
    fc.property(json, damage, fc.integer({ min: 1, max: 9 }), (text, damages, piece) => {
      let bytes = Buffer.from(text);
      for (const [place, value, way] of damages) {
        const at = bytes.length ? place % bytes.length : 0;
        const between = way === 2 ? [] : [value];
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(between),
          bytes.subarray(at + (way === 0 ? 0 : 1)),
        ]);
      }
      const whole = around(bytes);
      const expected = parses(whole);
      assert.equal(scan(whole, piece), expected, JSON.stringify(whole.toString()));
      if (expected) taken += 1;
      else refused += 1;
    }),
    { numRuns: 3_000 },
  );
  assert.ok(taken > 500 && refused > 500, `${taken} ${refused}`);
});

test('json scan: every single byte is taken in a text, a value and a name as JSON.parse takes it', () => {
  for (let first = 0; first < 256; first += 1) {
    for (const second of [0x22, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0]) {
      for (const third of [0x22, 0x80]) {
        for (const [before, after] of [
          ['"', '"'],
          ['', ''],
          ['{"', '":1}'],
          ['"\\', '"'],
        ] as const) {
          const bytes = around(
            Buffer.concat([bytesOf(before), Uint8Array.of(first, second, third, 0x80), bytesOf(after)]),
          );
          const shorter = around(Buffer.concat([bytesOf(before), Uint8Array.of(first), bytesOf(after)]));
          for (const one of [bytes, shorter])
            assert.equal(scan(one), parses(one), Buffer.from(one).toString('hex'));
        }
      }
    }
  }
});

test('json scan: the outermost is one object with one array of that name', () => {
  const good = [
    '{"resourceSpans":[]}',
    ' {"a":{"resourceSpans":1},"resourceSpans" : [ ] , "b" : [] }\r\n',
    '{"resourceSpan":1,"resourceSpanss":2,"":3,"resourceSpans":[1]}',
  ];
  for (const text of good) assert.ok(scan(bytesOf(text)), text);
  const bad = [
    ...['', ' ', '[]', 'null', '1', '"resourceSpans"', '{}', '[{"resourceSpans":[]}]'],
    ...['{"resourceSpans":{}}', '{"resourceSpans":null}', '{"resourceSpans":"[]"}', '{"resourceSpans":[}'],
    ...['{"resourceSpans":[],"resourceSpans":[]}', '{"resourceSpans":[],"resourceSpans":1}'],
    ...[
      '{"resource\\u0053pans":[]}',
      '{"resourceSpans":[],"\\u0072esourceSpans":[]}',
      '{"x":{"resourceSpans":[]}}',
    ],
    ...[
      '{"resourceSpans":[]}{}',
      '{"resourceSpans":[]},',
      '{"resourceSpans":[],}',
      '\ufeff{"resourceSpans":[]}',
    ],
    ...['{"resourceSpans":[]', '{"resourceSpans":[}]', '{"resourceSpans":[]]', "{'resourceSpans':[]}"],
  ];
  for (const text of bad) assert.ok(!scan(bytesOf(text)), text);
});

test('json scan: depth and brackets are bounded, and seen before the end', () => {
  const deep = (depth: number) =>
    `{"resourceSpans":[],"pad":"${'x'.repeat(9_000)}","x":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  assert.ok(scan(bytesOf(deep(199))));
  assert.ok(!scan(bytesOf(deep(200))));
  const many = (count: number, length: number) =>
    `{"resourceSpans":[${Array(count).fill('{}').join()}],"pad":""}`.padEnd(length);
  assert.ok(scan(bytesOf(many(98, 0))));
  assert.ok(scan(bytesOf(many(1_098, 8_000))));
  assert.ok(!scan(bytesOf(many(1_110, 8_000))));
  const scanner = createTraceScanner(1_000_000);
  assert.ok(!scanner.push(bytesOf('[')));
});
