// What the README says, against what the code does.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { measure } from '../support/sizes.mjs';

// By URL, so that tsc does not take its own output for a source.
const { NUMBER_OPTIONS } = await import(new URL('../../.cache/unit/src/options.js', import.meta.url).href);
const { PAGE_NAMES, SAMPLING_NAMES, PRIVACY_NAMES } = await import(
  new URL('../../.cache/unit/src/page-options.js', import.meta.url).href
);

const read = (/** @type {string} */ name) => readFile(new URL(`../../${name}`, import.meta.url), 'utf8');

/** Cells of the table rows whose first cell is a name in backticks, by that name. @param {string} markdown @returns {Map<string, string[]>} */
function rowsOf(markdown) {
  const rows = markdown.split('\n').filter((line) => /^\|\s*`[^`]+`\s*\|/.test(line));
  return new Map(
    rows.map((line) => {
      const [name = '', ...cells] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return [name.replaceAll('`', ''), cells];
    }),
  );
}

const number = (/** @type {string | undefined} */ text) => Number(text?.replaceAll(',', ''));

test('README: every number option with its default and range, and no other', async () => {
  const rows = rowsOf(await read('README.md'));
  const told = [...rows].flatMap(([name, [fallback = '', range = '']]) => {
    const [, least, most] = /^([\d,]+) to ([\d,]+)$/.exec(range) ?? [];
    return least ? [[name, [number(fallback), number(least), number(most)]]] : [];
  });
  assert.deepEqual(Object.fromEntries(told), { ...NUMBER_OPTIONS });
});

test('README: every option of start()', async () => {
  const rows = rowsOf(await read('README.md'));
  const [, names = ''] = /const START_NAMES = \[\s*\.\.\.\[([^\]]+)\]/.exec(await read('src/start.ts')) ?? [];
  const options = await read('src/options.ts');
  const [, bucketNames = ''] = /BUCKET_NAMES[^=]*= \[([^\]]+)\]/.exec(options) ?? [];
  const expected = [...`${names},${bucketNames}`.matchAll(/'(\w+)'/g)].map(([, name]) => name);
  assert.ok(expected.length >= 10);
  const ofPages = [...PAGE_NAMES, ...SAMPLING_NAMES, ...PRIVACY_NAMES];
  for (const name of [...expected, ...ofPages, ...Object.keys(NUMBER_OPTIONS)]) {
    assert.ok(rows.has(name), `\`${name}\` is not in the README`);
  }
});

test('README: every reason for a loss, and no other', async () => {
  const model = await read('src/pipeline/model.ts');
  const [, union = ''] = /export type DropReason =([^;]+);/.exec(model.replace(/ \/\/.*/g, '')) ?? [];
  const reasons = [...union.matchAll(/'([a-z-]+)'/g)].map(([, reason]) => reason);
  const rows = rowsOf(await read('README.md'));
  const told = [...rows.keys()].filter(
    (name) => /^[a-z]+(-[a-z]+)*$/.test(name) && rows.get(name)?.length === 1,
  );
  assert.ok(reasons.length > 5);
  assert.deepEqual(told.sort(), reasons.sort());
});

test('README: the sizes are those of the built files, to 2 %', async () => {
  const told = [...(await read('README.md')).matchAll(/\| ([\d.]+) kB \| ([\d.]+) kB \|/g)];
  const sizes = Object.values(await measure());
  assert.equal(told.length, sizes.length);
  for (const [index, { minified, brotli }] of sizes.entries()) {
    const kilobytes = told[index]?.slice(1).map(Number) ?? [];
    for (const [at, bytes] of [minified, brotli].entries()) {
      const said = kilobytes[at] ?? 0;
      assert.ok(Math.abs(said * 1_000 - bytes) <= bytes * 0.02, `${said} kB is ${bytes} bytes`);
    }
  }
});

test('recipes: the README beside them quotes them as their files have them', async () => {
  const readme = await read('demo/recipes/README.md');
  const quotes = [...readme.matchAll(/^```\w+ (demo\/recipes\/\S+)\n([\s\S]*?)^```$/gm)];
  assert.ok(quotes.length > 0);
  for (const [, name = '', text] of quotes) assert.equal(text, await read(name), name);
});
