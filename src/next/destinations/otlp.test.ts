import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { otlp, protobuf } from '../otlp.js';

for (const [given, expected] of [
  [undefined, 'http://localhost:4318/v1/traces'],
  ['https://c.test', 'https://c.test/v1/traces'],
  ['https://c.test/', 'https://c.test/v1/traces'],
  ['https://c.test//', 'https://c.test/v1/traces'],
  ['https://c.test/otlp/', 'https://c.test/otlp/v1/traces'],
  ['https://c.test/v1/traces', 'https://c.test/v1/traces'],
  ['https://c.test/otlp/v1/traces/', 'https://c.test/otlp/v1/traces'],
  ['https://c.test/otlp?key=1#x', 'https://c.test/otlp/v1/traces?key=1'],
] as const) {
  test(`otlp: ${given} is ${expected}`, () => {
    assert.equal(otlp(given === undefined ? undefined : { url: given }).id, `otlp ${expected}`);
  });
}

for (const [options, message] of [
  [{ url: '' }, /option "url" takes/],
  [{ url: 'ftp://c.test' }, /option "url" takes/],
  [{ url: 'https://me:secret@c.test' }, /option "url" takes/],
  [{ headers: 'authorization: x' }, /option "headers" takes/],
  [{ headers: null }, /option "headers" takes/],
  [{ headers: { 'no name': 'x' } }, /option "headers" takes/],
  [{ headers: { authorization: undefined } }, /option "headers" takes/],
  [{ headers: { authorization: 'sec\nret' } }, /got an object$/],
  [{ format: 'protobuf' }, /option "format" takes "json", or protobuf\(ProtobufTraceSerializer\)/],
  [{ format: ProtobufTraceSerializer }, /option "format" takes/],
  [{ format: null }, /option "format" takes/],
  [{ timeoutMillis: 0 }, /option "timeoutMillis" takes a whole number from 1 to 60000, got 0/],
  [{ timeoutMillis: 60_001 }, /option "timeoutMillis" takes/],
  [{ timeoutMillis: '10' }, /option "timeoutMillis" takes/],
  [{ endpoint: 'https://c.test' }, /otlp\(\) has no option "endpoint"/],
  [null, /otlp\(\) takes an object/],
] as const) {
  test(`otlp: ${JSON.stringify(options)} is refused`, () => {
    assert.throws(() => otlp(options as never), message);
    assert.throws(() => otlp(options as never), TypeError);
  });
}

test('otlp: takes all of its options', () => {
  otlp({});
  otlp({ headers: () => ({}), format: 'json', timeoutMillis: 1 });
  otlp({ headers: { a: 'b' }, format: protobuf(ProtobufTraceSerializer), timeoutMillis: 60_000 });
});
