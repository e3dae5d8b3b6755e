// Promise 6: small, and it stays so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUDGETS, measure } from '../support/sizes.mjs';

test('sizes: what a page downloads is within its budget, after Brotli', async () => {
  const sizes = await measure();
  const over = Object.entries(sizes).filter(([name, { brotli }]) => !(brotli <= BUDGETS[name]));
  assert.deepEqual(
    over.map(([name, { brotli }]) => `${name}: ${brotli} of ${BUDGETS[name]} bytes`),
    [],
  );
});
