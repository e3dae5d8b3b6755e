import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flawOf } from './soundness.js';

const { fetch, AbortController, Blob, Headers, TextDecoder, TextEncoder, URL, crypto, performance } =
  globalThis;
const functions = { fetch, AbortController, Blob, Headers, TextDecoder, TextEncoder, URL, queueMicrotask };
const scope = { ...functions, JSON, Promise, Date, crypto, performance };
const throws = () => {
  throw new Error('broken');
};

test('soundness: a platform as it should be', () => assert.equal(flawOf(), undefined));

for (const [name, broken] of [
  ['JSON that answers nothing', { JSON: { ...JSON, parse: JSON.parse, stringify: () => undefined } }],
  ['JSON that throws', { JSON: { parse: throws, stringify: throws } }],
  ['JSON of arrays as text', { JSON: { parse: JSON.parse, stringify: (value: unknown) => `"${value}"` } }],
  ['promises that cannot be waited for', { Promise: { resolve: throws } }],
  ['a clock that is none', { Date: Object.assign(class extends Date {}, { now: () => Number.NaN }) }],
  ['no clock', { Date: Object.assign(() => {}, {}) }],
  ['no performance', { performance: undefined }],
  ['events of another window', { removeEventListener: throws }],
  ['no crypto, as in old test environments', { crypto: undefined }],
] as [string, object][]) {
  test(`soundness: not with ${name}`, () =>
    assert.match(String(flawOf({ ...scope, ...broken } as never)), /^JSON, Promise/));
}

for (const name of Object.keys(functions)) {
  test(`soundness: not without ${name}, nor with an element of that name`, () => {
    assert.equal(flawOf({ ...scope, [name]: undefined } as never), name);
    assert.equal(flawOf({ ...scope, [name]: {} } as never), name);
  });
}
