// Promise 6: small, and it stays so.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { BUDGETS, MAX_MODULE_BYTES, MAX_STUB_BYTES, measure, weigh } from '../support/sizes.mjs';

test('sizes: what a page downloads is within its budget, after Brotli', async () => {
  const sizes = await measure();
  const over = Object.entries(sizes).filter(([name, { brotli }]) => !(brotli <= (BUDGETS[name] ?? 0)));
  assert.deepEqual(
    over.map(([name, { brotli }]) => `${name}: ${brotli} of ${BUDGETS[name]} bytes`),
    [],
  );
  const stub = sizes['stub, inlined']?.minified ?? Infinity;
  assert.ok(stub <= MAX_STUB_BYTES, `the stub has ${stub} bytes`);
});

test('sizes: the ES module is within its budget, after Brotli', async () => {
  const { brotli } = weigh(await readFile(new URL('../../dist/spandrel.mjs', import.meta.url), 'utf8'));
  assert.ok(brotli <= MAX_MODULE_BYTES, `${brotli} bytes`);
});
