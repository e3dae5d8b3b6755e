import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SamplingRule } from '../protocol.js';
import { ingestHarness } from '../testing/ingest-harness.js';
import { usableRules } from './sampling-rules.js';

const GOOD: SamplingRule[] = [
  { id: 1, match: { 'url.template': '/cart' }, rate: 1 },
  { id: 'b', match: { 'spandrel.activity.type': 'load', beta: true, build: 7 }, rate: 0.001 },
];

const BAD: unknown[] = [
  ...[null, 7, 'rule', [], {}],
  ...[undefined, null, '', {}, true].map((id) => ({ ...GOOD[0], id })),
  ...[undefined, null, {}, [], 'x', { a: '' }, { a: null }, { a: ['x'] }].map((match) => ({
    ...GOOD[0],
    match,
  })),
  ...[undefined, 0, -1, 1.01, '1', Number.NaN].map((rate) => ({ ...GOOD[0], rate })),
];

for (const rule of BAD) {
  test(`server rules: ${JSON.stringify(rule)} is left out and told; the others stay in their order`, () => {
    const told: string[] = [];
    const usable = usableRules([GOOD[0], rule, GOOD[1]], ({ message }) => told.push(message));
    assert.deepEqual(usable, GOOD);
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /rule 1: .+ takes/);
  });
}

test('server rules: 100 at most, and 16 KiB', () => {
  const told: string[] = [];
  const report = ({ message }: Error) => void told.push(message);
  assert.equal(usableRules(Array(103).fill(GOOD[0]), report).length, 100);
  assert.equal(told.length, 3);
  const long = { id: 1, match: { a: 'x'.repeat(9_000) }, rate: 1 };
  assert.equal(usableRules([long, long], report).length, 1);
});

test('server rules: a client is told the good ones, and the operator of the others', async () => {
  const errors: unknown[] = [];
  const rules = [{ rate: 2 } as SamplingRule, { ...GOOD[0], note: 'for the shop' } as SamplingRule];
  const { exchange } = ingestHarness({
    config: () => ({ paused: false, rules }),
    onError: (error) => errors.push(String(error)),
  });
  const { body } = await exchange({ want: 1 });
  assert.deepEqual(body.config, { paused: false, rules: [GOOD[0]] });
  assert.equal(errors.length, 1);
  assert.deepEqual(
    (await ingestHarness({ config: () => ({ paused: true }) as never }).exchange({})).body.config,
    {
      paused: true,
      rules: [],
    },
  );
});
