import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAnyValue, decodeAttributes, findAttribute } from './any-value.mjs';

test('any value: 64-bit integers keep their digits', () => {
  assert.deepEqual(decodeAnyValue({ intValue: '9223372036854775807' }), {
    type: 'int',
    text: '9223372036854775807',
  });
  assert.deepEqual(decodeAnyValue({ doubleValue: 'NaN' }), { type: 'double', text: 'NaN' });
});

test('any value: arrays and maps are written out', () => {
  const values = [{ stringValue: 'a"b' }, { intValue: 1 }, {}];
  assert.equal(decodeAnyValue({ arrayValue: { values } }).text, '["a\\"b", 1, ]');
  const pairs = [{ key: 'k', value: { boolValue: false } }, null, 5];
  assert.equal(decodeAnyValue({ kvlistValue: { values: pairs } }).text, '{k: false}');
});

test('any value: nesting without end is cut', () => {
  /** @type {object} */
  let value = { stringValue: 'core' };
  for (let i = 0; i < 100_000; i += 1) value = { arrayValue: { values: [value] } };
  assert.match(decodeAnyValue(value).text, /^\[+…\]+$/);
});

test('any value: what is no value is empty', () => {
  for (const value of [null, 5, 'x', [], {}, { stringValue: 5 }, { intValue: {} }, { boolValue: 'true' }]) {
    assert.deepEqual(decodeAnyValue(value), { type: 'empty', text: '' });
  }
});

test('attributes: pairs without a key are left out, and there is a bound', () => {
  const good = { key: '__proto__', value: { stringValue: 'v' } };
  assert.deepEqual(decodeAttributes([null, 5, {}, { key: 7 }, good]), [
    { key: '__proto__', type: 'string', text: 'v' },
  ]);
  assert.equal(decodeAttributes(Array(10_000).fill(good)).length, 2000);
});

test('attributes: the first key that has a text is found', () => {
  const attributes = decodeAttributes([
    { key: 'a', value: { stringValue: '' } },
    { key: 'b', value: { stringValue: 'found' } },
  ]);
  assert.equal(findAttribute(attributes, 'a', 'c', 'b'), 'found');
  assert.equal(findAttribute(attributes, 'c'), undefined);
});
