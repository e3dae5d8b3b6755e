import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patch } from './patch.js';

type Add = (this: unknown, a: number, b: number) => number;

function owner() {
  const calls: unknown[] = [];
  return {
    calls,
    add(a: number, b: number) {
      return a + b;
    },
  };
}

const counting = (page: ReturnType<typeof owner>, by: string) =>
  patch<Add>(page, 'add', (original, self, args) => {
    page.calls.push([by, self]);
    return Reflect.apply(original, self, args);
  });

test('patch: the page sees the same function', () => {
  const page = owner();
  const original = Object.assign(page.add, { of: 'the page' });
  const stop = counting(page, 'us');
  assert.equal(page.add(1, 2), 3);
  const { add } = page;
  assert.equal(add.call('else', 1, 2), 3);
  assert.deepEqual(page.calls, [
    ['us', page],
    ['us', 'else'],
  ]);
  assert.equal(add.name, 'add');
  assert.equal(add.length, 2);
  assert.deepEqual(Object.keys(add), ['of']);
  assert.match(Function.prototype.toString.call(add), /native code/);
  assert.throws(() => Reflect.construct(add, []), /not a constructor/);
  assert.equal((add as { __original?: unknown }).__original, original);
  stop();
  assert.equal(page.add, original);
});

test('patch: whoever wrapped it after us stays, and we are out of it', () => {
  const page = owner();
  const stop = counting(page, 'us');
  const { add } = page;
  const wrapped = (a: number, b: number): number => add(a, b) * 10;
  page.add = wrapped;
  stop();
  assert.equal(page.add, wrapped);
  assert.equal(page.add(1, 2), 30);
  assert.deepEqual(page.calls, []);
});

test('patch: what is locked or missing is left alone', () => {
  const page = Object.freeze(owner());
  const { add } = page;
  const stop = counting(page, 'us');
  assert.equal(page.add, add);
  stop();
  patch({}, 'nothing', () => assert.fail())();
});
