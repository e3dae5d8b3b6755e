import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testPlatform } from '../testing/platform.js';
import { createDeadlines } from './deadlines.js';

const never = new Promise<never>(() => {});

test('deadlines: what settles in time is passed on, and leaves no timer', async () => {
  const platform = testPlatform();
  const deadlines = createDeadlines(platform);
  assert.equal(await deadlines.within(100, Promise.resolve('done')), 'done');
  await assert.rejects(deadlines.within(100, Promise.reject(new Error('planted'))), /planted/);
  await platform.advance(0);
  assert.equal(platform.loose.timers, 0);
});

test('deadlines: what does not is given up, and may reject later', async () => {
  const platform = testPlatform();
  let fail = (_error: Error): void => {};
  const late = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const waiting = assert.rejects(createDeadlines(platform).within(100, late), /no answer in 100 ms/);
  await platform.advance(100);
  await waiting;
  fail(new Error('late'));
  await platform.advance(0);
});

test('deadlines: close ends what is awaited, then and after', async () => {
  const platform = testPlatform();
  const deadlines = createDeadlines(platform);
  const waiting = assert.rejects(deadlines.within(100, never), /closed/);
  deadlines.close();
  await waiting;
  await assert.rejects(deadlines.within(100, never), /closed/);
  assert.equal(platform.loose.timers, 0);
});
