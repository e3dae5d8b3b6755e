import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backgroundOf, createWork } from './background.js';

const pause = () => new Promise((resolve) => setImmediate(resolve));

test('background work: is over when all of it is, what begins in the same breath included', async () => {
  const work = createWork();
  const ends = [work.begin(), work.begin()];
  let isOver = false;
  const over = work.over(60_000).then(() => {
    isOver = true;
  });
  ends[0]?.();
  await pause();
  assert.equal(isOver, false);
  ends[1]?.();
  const last = work.begin();
  await pause();
  assert.equal(isOver, false);
  last();
  await over;
  assert.ok(!process.getActiveResourcesInfo().includes('Timeout'));
});

test('background work: is given up when its time is up', async () => {
  const work = createWork();
  work.begin();
  await work.over(1);
  await createWork().over(60_000);
});

test('background work: the runtime hears of what the handler hands it, and may refuse it', () => {
  const heard: unknown[] = [];
  const refusal = new TypeError('no promise');
  const ctx = {
    waitUntil(this: unknown, given: unknown) {
      assert.equal(this, ctx);
      if (given === 7) throw refusal;
      heard.push(given);
    },
  };
  const work = createWork();
  const given = backgroundOf(['request', ctx], work);
  const own = given.args[1] as { waitUntil(promise: unknown): void };
  const promise = Promise.resolve();
  own.waitUntil(promise);
  own.waitUntil(undefined);
  assert.throws(() => own.waitUntil(7), refusal);
  const ours = Promise.resolve();
  given.waitUntil?.(ours);
  assert.deepEqual(heard, [promise, undefined, ours]);
});

test('background work: a context that cannot be changed, or is none, is passed on', () => {
  const work = createWork();
  const frozen = Object.freeze({ waitUntil() {} });
  const { args } = backgroundOf(['request', frozen], work);
  (args[1] as typeof frozen).waitUntil();
  for (const others of [['request'], ['request', null, undefined], ['request', { waitUntil: 1 }]]) {
    const given = backgroundOf(others, work);
    assert.deepEqual(given.args, others);
    assert.equal(given.waitUntil, undefined);
  }
});
