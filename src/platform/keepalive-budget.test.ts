import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepaliveBudget } from './keepalive-budget.js';

test('keepalive budget: 60 KiB, and never more', () => {
  const budget = keepaliveBudget({});
  assert.equal(budget.freeBytes, 49_152);
  assert.ok(budget.reserve(49_152));
  assert.equal(budget.reserve(1), undefined);
  assert.ok(budget.reserve(0));
});

test('keepalive budget: a release gives the bytes back, once', () => {
  const budget = keepaliveBudget({});
  const release = budget.reserve(1_000);
  budget.reserve(500);
  release?.();
  release?.();
  assert.equal(budget.freeBytes, 49_152 - 500);
});

test('keepalive budget: copies on one page share it, pages do not', () => {
  const page = {};
  keepaliveBudget(page).reserve(48_000);
  assert.equal(keepaliveBudget(page).reserve(2_000), undefined);
  assert.deepEqual(Object.keys(page), [], 'nothing to enumerate on the page');
  assert.ok(keepaliveBudget({}).reserve(2_000));
});
