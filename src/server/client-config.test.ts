import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientConfig } from '../protocol.js';
import { ingestHarness } from '../testing/ingest-harness.js';
import type { IngestContext } from './ingest-options.js';

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

const REAL = 'spandrel/0.1.0';
const RUNNING = { paused: false, rules: [] };
const PAUSED = { paused: true, rules: [] };
const RULED = { paused: false, rules: RULES };

// What an operator may tell: everybody the same, one version something else, one origin, one project, only those known.
const TOLD: Record<string, (context: IngestContext) => ClientConfig> = {
  'everybody is paused': () => PAUSED,
  'everybody has rules': () => RULED,
  'one version is paused': ({ client }) => (client === REAL ? PAUSED : RUNNING),
  'one version is paused, others have rules': ({ client }) => (client === REAL ? PAUSED : RULED),
  'one origin is paused': ({ origin }) => (origin === 'https://a.example' ? PAUSED : RULED),
  'one project is paused': ({ project }) => (project === 'a' ? PAUSED : RUNNING),
  'only what is known runs': ({ client }) => (client === REAL ? RULED : PAUSED),
};
// What is made up: names, origins, names of other projects, all of them at once.
const MADE_UP: Record<string, (index: number) => { project: string; client: string; origin: string }> = {
  names: (index) => ({ project: 'a', client: `made-up/${index}`, origin: 'https://a.example' }),
  'names of long ago': (index) => ({
    project: 'a',
    client: `spandrel/0.0.${index}`,
    origin: 'https://a.example',
  }),
  origins: (index) => ({ project: 'a', client: REAL, origin: `https://x${index}.example` }),
  'names in another project': (index) => ({ project: 'b', client: `x${index}`, origin: 'https://a.example' }),
  'names and origins': (index) => ({
    project: 'a',
    client: `x${index}`,
    origin: `https://x${index}.example`,
  }),
};
for (const [what, config] of Object.entries(TOLD)) {
  for (const [which, madeUp] of Object.entries(MADE_UP)) {
    test(`config: ${which} that are made up push out nothing: ${what}`, async () => {
      let isDown = false;
      const { exchange } = ingestHarness({
        allowedOrigins: '*',
        projects: ['a', 'b'],
        config: (context) => (isDown ? Promise.reject(new Error('down')) : config(context)),
      });
      const read = async () =>
        (await exchange({ project: 'a', client: REAL }, { origin: 'https://a.example' })).body.config;
      const before = await read();
      for (let index = 0; index < 500; index += 1) {
        const { project, client, origin } = madeUp(index);
        await exchange({ project, client }, { origin });
      }
      isDown = true;
      assert.deepEqual(await read(), before);
    });
  }
}

test('config: a kill switch that was taken back stays so, for those who are not remembered too', async () => {
  let said: ClientConfig | undefined = PAUSED;
  const { exchange, clock } = ingestHarness({ config: () => said ?? Promise.reject(new Error('down')) });
  const read = async (client: string) => (await exchange({ client })).body.config.paused;
  const all = Array.from({ length: 300 }, (_, index) => `c${index}`);
  for (const client of all) await read(client);
  said = undefined;
  assert.equal(await read('c0'), true, 'there was no room for it');
  assert.equal(await read('new'), true, 'who knows');
  said = RUNNING;
  await read('c299');
  said = undefined;
  assert.equal(await read('c0'), false);

  said = PAUSED;
  for (const client of all) await read(client);
  clock.nowMillis += 3_600_001;
  said = RUNNING;
  await read('new');
  said = undefined;
  assert.equal(await read('c0'), false, 'nobody has asked for an hour who is not told something else');
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
