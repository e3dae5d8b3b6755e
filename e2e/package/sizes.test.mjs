// Promise 6: small, and it stays so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUDGETS, MAX_STUB_BYTES, measure } from '../support/sizes.mjs';

test('sizes: what a page downloads is within its budget, after Brotli', async () => {
  const sizes = await measure();
  const over = Object.entries(sizes).filter(([name, { brotli }]) => !(brotli <= BUDGETS[name]));
  assert.deepEqual(
    over.map(([name, { brotli }]) => `${name}: ${brotli} of ${BUDGETS[name]} bytes`),
    [],
  );
  const { minified } = sizes['stub, inlined'];
  assert.ok(minified < MAX_STUB_BYTES, `the stub has ${minified} bytes`);
});
