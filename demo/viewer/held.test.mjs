import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partHeld } from './held.mjs';

const item = (start, isNews) => ({ start, isNews });
const about = (one) => one;

// Others that could be taken for news: a first page that is still read, older pages, what was missed and asked for.
test('held: only what came by itself and is newer than the first row waits', () => {
  const items = [item(90n, true), item(80n, false), item(50n, false), item(40n, true), item(undefined, true)];
  const { shown, waiting } = partHeld(items, about, 50n);
  assert.deepEqual(waiting, [items[0]]);
  assert.deepEqual(shown, items.slice(1));
});

test('held: where nothing was there, nothing is held', () => {
  const items = [item(90n, true), item(undefined, true)];
  assert.deepEqual(partHeld(items, about, undefined), { shown: items, waiting: [] });
});
