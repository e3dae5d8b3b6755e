import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUuid, uuidV7, uuidV7Millis } from './uuid.js';

// RFC 9562, appendix A.6.
const EXAMPLE = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f';
const EXAMPLE_MILLIS = Date.UTC(2022, 1, 22, 19, 22, 22);

test('uuid: writes the example of RFC 9562', () => {
  const random = Uint8Array.of(0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f);
  assert.equal(uuidV7(EXAMPLE_MILLIS, random), EXAMPLE);
});

test('uuid: sets version and variant over any random bits and leaves the caller its bytes', () => {
  const ones = new Uint8Array(10).fill(0xff);
  assert.equal(uuidV7(0, ones), '00000000-0000-7fff-bfff-ffffffffffff');
  assert.deepEqual(ones, new Uint8Array(10).fill(0xff));
});

test('uuid: reads the time of lowercase UUIDv7 and of nothing else', () => {
  assert.equal(uuidV7Millis(EXAMPLE), EXAMPLE_MILLIS);
  for (const other of [
    EXAMPLE.toUpperCase(),
    EXAMPLE.replaceAll('-', ''),
    EXAMPLE.replace('-7cc3', '-4cc3'),
    EXAMPLE.replace('-98c4', '-c8c4'),
    ` ${EXAMPLE}`,
    `${EXAMPLE}\n`,
    '',
  ]) {
    assert.equal(uuidV7Millis(other), undefined, other);
  }
});

test('uuid: a UUID of any version is one, in lowercase with dashes', () => {
  assert.equal(isUuid(EXAMPLE), true);
  assert.equal(isUuid(EXAMPLE.replace('-7cc3', '-4cc3')), true);
  const bare = EXAMPLE.replaceAll('-', '');
  for (const other of [
    EXAMPLE.toUpperCase(),
    bare,
    ` ${EXAMPLE}`,
    `${EXAMPLE}\n`,
    `${EXAMPLE}0`,
    '',
    7,
    [EXAMPLE],
  ]) {
    assert.equal(isUuid(other), false, String(other));
  }
});
