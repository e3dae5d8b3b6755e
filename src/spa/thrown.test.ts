import assert from 'node:assert/strict';
import { test } from 'node:test';
import vm from 'node:vm';
import { exceptionAttributes, type Whereabouts } from './thrown.js';

const told = (value: unknown, where: Whereabouts = {}) => {
  const attributes = exceptionAttributes(value, where);
  return [attributes['exception.type'], attributes['exception.message']];
};
const stackOf = (value: unknown, where: Whereabouts = {}): unknown =>
  exceptionAttributes(value, where)['exception.stacktrace'];

const hostile = new Proxy(
  {},
  {
    get: () => {
      throw new Error('get');
    },
    getPrototypeOf: () => {
      throw new Error('getPrototypeOf');
    },
  },
);
const getters = {
  get name(): string {
    throw new Error('name');
  },
  get message(): string {
    throw new Error('message');
  },
};
const here = { message: 'Uncaught', filename: 'https://a.test/a.js', lineno: 3, colno: 7 };

for (const [name, value, where, expected] of [
  ['an error', new TypeError('no'), here, ['TypeError', 'no']],
  ['an error of another realm', vm.runInNewContext('new RangeError("far")'), here, ['RangeError', 'far']],
  ['a DOMException', new DOMException('stop', 'AbortError'), here, ['AbortError', 'stop']],
  ['what looks like an error', { message: 'alike' }, here, ['Error', 'alike']],
  ['a text', 'oh', here, ['string', 'oh']],
  ['null', null, here, ['null', 'null']],
  ['undefined', undefined, here, ['undefined', 'undefined']],
  ['a rejection without a reason', undefined, {}, ['undefined', 'undefined']],
  ['a symbol', Symbol('s'), here, ['symbol', 'Symbol(s)']],
  ['a plain object', { code: 7 }, here, ['object', '[object Object]']],
  ['an object without a prototype', Object.create(null), here, ['object', '']],
  ['getters that throw', getters, here, ['object', '[object Object]']],
  ['a proxy that throws', hostile, here, ['object', '']],
  ['a name that is no text', { name: 5, message: {} }, here, ['object', '[object Object]']],
  [
    'a script of another origin',
    null,
    { message: 'Script error.', filename: '' },
    ['Error', 'Script error.'],
  ],
] as [string, unknown, Whereabouts, [string, string]][]) {
  test(`thrown: ${name}`, () => assert.deepEqual(told(value, where), expected));
}

test('thrown: the place stands in for a stack that is not there', () => {
  assert.equal(stackOf('oh', here), 'at https://a.test/a.js:3:7');
  assert.equal(stackOf('oh'), undefined);
});

test('thrown: a stack begins with type and message in every engine', () => {
  assert.match(String(stackOf(new TypeError('no'))), /^TypeError: no\n\s+at /);
  assert.equal(
    stackOf({ name: 'TypeError', message: 'no', stack: 'f@a.js:1:2' }),
    'TypeError: no\nf@a.js:1:2',
  );
});

test('thrown: causes and the errors of an AggregateError, one level of them', () => {
  const error = new Error('outer', { cause: new TypeError('inner', { cause: new RangeError('innermost') }) });
  const stack = String(stackOf(error));
  assert.match(stack, /^Error: outer\n[\s\S]*\nCaused by: TypeError: inner\n/);
  assert.doesNotMatch(stack, /innermost/);
  const many = [1, 2, 3, 4].map((index) => new Error(`of ${index}.`));
  const aggregate = String(stackOf(new AggregateError(many, 'all')));
  assert.deepEqual(
    aggregate.match(/Caused by: Error: of \d/g),
    [1, 2, 3].map((index) => `Caused by: Error: of ${index}`),
  );
});

test('thrown: lengths are bounded', () => {
  const error = {
    name: 'n'.repeat(1e5),
    message: 'm'.repeat(1e5),
    stack: 's'.repeat(1e5),
    cause: { message: 'c'.repeat(1e5) },
  };
  const sizes = Object.values(exceptionAttributes(error, {})).map((value) => String(value).length);
  assert.deepEqual(sizes, [100, 1_000, 8_000]);
});
