// What the READMEs say, against what the code does, and where they lead.
import assert from 'node:assert/strict';
import { access, readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { measure } from '../support/sizes.mjs';

// By URL, so that tsc does not take its own output for a source.
const { NUMBER_OPTIONS } = await import(new URL('../../.cache/unit/src/options.js', import.meta.url).href);
const { PAGE_NAMES, SAMPLING_NAMES, PRIVACY_NAMES } = await import(
  new URL('../../.cache/unit/src/page-options.js', import.meta.url).href
);

const root = new URL('../../', import.meta.url);
const read = (/** @type {string} */ name) => readFile(new URL(name, root), 'utf8');

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

/** What stands below a heading of the second level. @param {string} markdown @param {string} title */
const sectionOf = (markdown, title) =>
  markdown.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? '';

/** The package's sources, without tests and what only those need. */
async function sources() {
  const names = await readdir(new URL('src', root), { recursive: true });
  return names.filter((name) => /(?<!\.test)\.ts$/.test(name) && !/^testing\b/.test(name));
}

test('README: every number option with its default and range, and no other', async () => {
  const rows = rowsOf(await read('src/spa/README.md'));
  const told = [...rows].flatMap(([name, [fallback = '', range = '']]) => {
    const [, least, most] = /^([\d,]+) to ([\d,]+)$/.exec(range) ?? [];
    return least ? [[name, [number(fallback), number(least), number(most)]]] : [];
  });
  assert.deepEqual(Object.fromEntries(told), { ...NUMBER_OPTIONS });
});

test('README: every option of start()', async () => {
  const rows = rowsOf(await read('src/spa/README.md'));
  const [, names = ''] = /const START_NAMES = \[\s*\.\.\.\[([^\]]+)\]/.exec(await read('src/start.ts')) ?? [];
  const options = await read('src/options.ts');
  const [, bucketNames = ''] = /BUCKET_NAMES[^=]*= \[([^\]]+)\]/.exec(options) ?? [];
  const expected = [...`${names},${bucketNames}`.matchAll(/'(\w+)'/g)].map(([, name]) => name);
  assert.ok(expected.length >= 10);
  const ofPages = [...PAGE_NAMES, ...SAMPLING_NAMES, ...PRIVACY_NAMES];
  for (const name of [...expected, ...ofPages, ...Object.keys(NUMBER_OPTIONS)]) {
    assert.ok(rows.has(name), `\`${name}\` is not in src/spa/README.md`);
  }
});

/** Every reason for a loss, as the source has it. */
async function reasons() {
  const model = await read('src/pipeline/model.ts');
  const [, union = ''] = /export type DropReason =([^;]+);/.exec(model.replace(/ \/\/.*/g, '')) ?? [];
  return [...union.matchAll(/'([a-z-]+)'/g)].map(([, reason = '']) => reason);
}

test('README: every reason for a loss, and no other', async () => {
  const rows = rowsOf(sectionOf(await read('src/pipeline/README.md'), 'Losses'));
  const expected = await reasons();
  assert.ok(expected.length > 5);
  assert.deepEqual([...rows.keys()].sort(), expected.sort());
});

test('README: every kind of trouble, and no other', async () => {
  const rows = rowsOf(sectionOf(await read('src/pipeline/README.md'), 'Troubles'));
  const edge = await read('src/edge/README.md');
  const kinds = new Set();
  for (const name of await sources()) {
    const text = await read(`src/${name}`);
    // `trouble` itself is no call of it; a loss is told under its reason's name.
    for (const [, kind, other] of text.matchAll(/\btrouble\(\s*(?:'([^']*)'|(?!kind\b)([\w.]+))/g)) {
      if (kind) kinds.add(kind);
      else assert.match(other ?? '', /^(outcome\.)?reason$/, `src/${name}: nobody knows the kind ${other}`);
    }
    for (const [, kind = ''] of text.matchAll(/\breport\('([^']+)'/g))
      assert.ok(edge.includes(`\`${kind}\``), `\`${kind}\` of src/${name} is not in src/edge/README.md`);
  }
  const losses = await reasons();
  assert.deepEqual([...rows.keys()].sort(), [...kinds].filter((kind) => !losses.includes(kind)).sort());
});

test('README: the sizes are those of the built files, to 2 %', async () => {
  const told = [...sectionOf(await read('README.md'), 'Sizes').matchAll(/\| ([\d.]+) kB \| ([\d.]+) kB \|/g)];
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

/** Every page of ours, by its path. @returns {Promise<string[]>} */
async function pages() {
  const folders = ['src', 'demo', 'e2e'].map(async (folder) =>
    (await readdir(new URL(folder, root), { recursive: true }))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
  );
  return ['README.md', ...(await Promise.all(folders)).flat()];
}

const withoutCode = (/** @type {string} */ markdown) => markdown.replace(/^```[\s\S]*?^```$/gm, '');
/** What a heading is called in an address. @param {string} heading */
const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
/** @param {string} markdown */
const anchorsOf = (markdown) =>
  [...withoutCode(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));

test('pages: every link leads to a file that is there, and to a heading in it', async () => {
  const all = await pages();
  assert.ok(all.length > 15);
  for (const page of all) {
    const text = withoutCode(await read(page));
    for (const [, target = ''] of text.matchAll(/(?:\]\(|(?:src|srcset|href)=")(?!https?:)([^)"\s]*)[)"]/g)) {
      const [file = '', anchor] = target.split('#');
      const url = file ? new URL(file, new URL(page, root)) : new URL(page, root);
      await access(url).catch(() => assert.fail(`${page} leads to ${file}, which is not there`));
      if (anchor === undefined) continue;
      assert.ok(
        anchorsOf(await readFile(url, 'utf8')).includes(anchor),
        `${page} leads to ${target}, which no heading is called`,
      );
    }
  }
});

test('pages: one of five sections or more begins with links to them; the README can be read in one go', async () => {
  for (const page of (await pages()).filter((name) => name !== 'README.md')) {
    const [beginning = '', ...sections] = withoutCode(await read(page)).split(/^## /m);
    if (sections.length < 5) continue;
    for (const section of sections) {
      const anchor = anchorOf(section.slice(0, section.indexOf('\n')));
      assert.ok(beginning.includes(`(#${anchor})`), `${page} does not begin with a link to #${anchor}`);
    }
  }
  assert.ok((await read('README.md')).split('\n').length <= 251);
});

test('pages: every npm script is told of, and every file that the map names is there', async () => {
  const tests = await read('e2e/README.md');
  const { scripts } = JSON.parse(await read('package.json'));
  for (const name of Object.keys(scripts).filter((one) => one !== 'prepack')) {
    const command = /^(start|test)$/.test(name) ? `npm ${name}` : `npm run ${name}`;
    assert.match(tests, new RegExp(`${command}(?![\\w:-])`), `${command} is not in e2e/README.md`);
  }
  const map = await read('src/README.md');
  const files = await sources();
  const named = [...map.matchAll(/`((?:[\w-]+\/)*[\w-]+\.ts)`/g)].map(([, name = '']) => name);
  assert.ok(named.length > 40);
  for (const name of named) {
    assert.ok(
      files.some((file) => `/${file}`.endsWith(`/${name}`)),
      `src/README.md names ${name}, which is not there`,
    );
  }
  const terms = sectionOf(map, 'Glossary').match(/^\| (?!term|---)/gm) ?? [];
  assert.ok(terms.length > 20 && terms.length <= 40, `${terms.length} terms`);
});
