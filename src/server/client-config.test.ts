import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ingestHarness } from '../testing/ingest-harness.js';

const RULES = [{ id: 'r', match: { a: 1 }, rate: 0.5 }];

test('config: while the hook fails its last answer holds, for the same project, origin and client', async () => {
  const failures = [() => Promise.reject(new Error('down')), () => new Promise<never>(() => {})];
  for (const fail of failures) {
    let isDown = false;
    const { exchange, errors } = ingestHarness({
      hookTimeoutMillis: 20,
      allowedOrigins: '*',
      projects: ['a', 'b'],
      config: () => (isDown ? fail() : { paused: true, rules: RULES }),
    });
    const configOf = async (project: string, client: string, origin = 'https://a.example') =>
      (await exchange({ project, client }, { origin })).body.config;
    const said = { paused: true, rules: RULES };
    assert.deepEqual(await configOf('a', 'x'), said);
    isDown = true;
    assert.deepEqual(await configOf('a', 'x'), said);
    const nothing = { paused: false, rules: [] };
    assert.deepEqual(await configOf('b', 'x'), nothing);
    assert.deepEqual(await configOf('a', 'y'), nothing);
    assert.deepEqual(await configOf('a', 'x', 'https://b.example'), nothing);
    assert.equal(errors.length, 4);
  }
});

test('config: what is remembered is bounded', async () => {
  let isDown = false;
  const { exchange } = ingestHarness({
    config: () => (isDown ? Promise.reject(new Error('down')) : { paused: true, rules: [] }),
  });
  for (let index = 0; index <= 200; index += 1) await exchange({ client: `c${index}` });
  isDown = true;
  assert.equal((await exchange({ client: 'c0' })).body.config.paused, false);
  assert.equal((await exchange({ client: 'c1' })).body.config.paused, true);
});

test('config: nonsense pauses nobody and rules nothing', async () => {
  const nonsense: unknown[] = [
    null,
    7,
    'paused',
    [],
    { paused: 'yes' },
    { paused: 1, rules: {} },
    { rules: [null] },
  ];
  for (const config of nonsense) {
    const { exchange } = ingestHarness({ config: () => config as never });
    const { status, body } = await exchange({ want: 1 });
    assert.deepEqual([status, body.config], [200, { paused: false, rules: [] }], JSON.stringify(config));
    assert.equal(body.uploads.length, 1);
  }
});

test('config: huge rules are cut to what a client keeps', async () => {
  const rules = Array.from({ length: 5_000 }, (_, id) => ({ id, match: { a: 'x'.repeat(100) }, rate: 1 }));
  const { exchange, errors } = ingestHarness({ config: () => ({ paused: false, rules }) });
  const { body } = await exchange({});
  assert.ok(body.config.rules.length <= 100 && JSON.stringify(body.config.rules).length < 20_000);
  assert.ok(errors.length > 0);
});
