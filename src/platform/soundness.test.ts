import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSound } from './soundness.js';

const scope = { JSON, Promise, Date, queueMicrotask };
const throws = () => {
  throw new Error('broken');
};

test('soundness: a platform as it should be', () => assert.equal(isSound(), true));

for (const [name, broken] of [
  ['JSON that answers nothing', { JSON: { ...JSON, parse: JSON.parse, stringify: () => undefined } }],
  ['JSON that throws', { JSON: { parse: throws, stringify: throws } }],
  ['JSON of arrays as text', { JSON: { parse: JSON.parse, stringify: (value: unknown) => `"${value}"` } }],
  ['promises that cannot be waited for', { Promise: { resolve: throws } }],
  ['a clock that is none', { Date: Object.assign(class extends Date {}, { now: () => Number.NaN }) }],
  ['no clock', { Date: Object.assign(() => {}, {}) }],
  ['no microtasks', { queueMicrotask: undefined }],
] as [string, object][]) {
  test(`soundness: not with ${name}`, () => assert.equal(isSound({ ...scope, ...broken } as never), false));
}
