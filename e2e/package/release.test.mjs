// What a release is made of: the workflows, the forms, the changelog, and what stands at the top of the repository.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseYaml } from '../engines/yaml.mjs';
import { checkRelease } from '../support/check-release.mjs';
import { tableOf } from '../support/size-diff.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (/** @type {string} */ name) => readFileSync(path.join(root, name), 'utf8');
const manifest = JSON.parse(read('package.json'));
/** All that git has or would take. @type {string[]} */
let files = [];
before(() => {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  files = listed.split('\n').filter((name) => name && existsSync(path.join(root, name)));
});

const WORKFLOWS = /** @type {const} */ (['ci', 'release']);
/** @param {typeof WORKFLOWS[number]} name */
const workflow = (name) => parseYaml(read(`.github/workflows/${name}.yml`));
/** @param {any} workflow @returns {any[]} */
const stepsOf = ({ jobs }) => Object.values(jobs).flatMap(({ steps }) => steps);

test('repository: the top level holds what it is meant to, and all else is out of sight', () => {
  const top = new Set(files.map((name) => name.split('/')[0] ?? ''));
  assert.deepEqual([...top].filter((name) => !name.startsWith('.')).sort(), [
    'LICENSE',
    'README.md',
    'demo',
    'e2e',
    'package-lock.json',
    'package.json',
    'rollup.config.mjs',
    'src',
    'tsconfig.json',
  ]);
});

test('package: says where it lives, and is published with provenance', () => {
  const home = 'https://github.com/spandrel-js/spandrel';
  assert.equal(manifest.homepage, `${home}#readme`);
  assert.equal(manifest.bugs, `${home}/issues`);
  // Provenance is refused where this is not the repository that published.
  assert.deepEqual(manifest.repository, { type: 'git', url: `git+${home}.git` });
  assert.equal(manifest.author, 'Spandrel contributors');
  assert.deepEqual(manifest.publishConfig, { access: 'public', provenance: true });
});

for (const name of WORKFLOWS) {
  test(`workflow ${name}: may read the contents and no more, holds no secret, and takes actions by their major version`, () => {
    const parsed = workflow(name);
    assert.deepEqual(parsed.permissions, { contents: 'read' });
    const jobs = Object.entries(parsed.jobs);
    assert.ok(jobs.length > 0);
    for (const [job, { permissions, 'timeout-minutes': minutes }] of jobs) {
      const own = name === 'release' ? { contents: 'read', 'id-token': 'write' } : undefined;
      assert.deepEqual(permissions, own, job);
      assert.ok(minutes <= 60, job);
    }
    assert.doesNotMatch(read(`.github/workflows/${name}.yml`), /secrets\.|pull_request_target/);
    const used = stepsOf(parsed).flatMap(({ uses }) => uses ?? []);
    assert.ok(used.length > 0);
    for (const action of used) assert.match(action, /^actions\/[\w-]+@v\d+$/);
  });

  test(`workflow ${name}: what it runs is there`, () => {
    const commands = stepsOf(workflow(name)).flatMap(({ run }) => run ?? []);
    const scripts = commands.flatMap((/** @type {string} */ text) => [...text.matchAll(/npm run ([\w:]+)/g)]);
    for (const [, script = ''] of scripts) assert.ok(manifest.scripts[script], script);
    const modules = commands.flatMap((/** @type {string} */ text) => [
      ...text.matchAll(/\bnode ([\w/.-]+\.mjs)/g),
    ]);
    for (const [, file = ''] of modules) assert.ok(files.includes(file), file);
    assert.ok(scripts.length > 0 && modules.length > 0);
  });
}

test('workflow ci: every Node that the package is for, three systems, both browsers of the suite', () => {
  const { unit, browsers } = workflow('ci').jobs;
  const { os, node, include } = unit.strategy.matrix;
  assert.deepEqual(node, [20, 22, 24]);
  assert.equal(manifest.engines.node, `>=${node[0]}`);
  assert.deepEqual(
    [...os, ...include.map((/** @type {any} */ one) => one.os)],
    ['ubuntu-latest', 'macos-latest', 'windows-latest'],
  );
  assert.deepEqual(browsers.strategy.matrix.browser, ['chromium', 'firefox']);
});

test('workflow release: publishes by a tag alone, once all is built and tested', () => {
  const release = workflow('release');
  assert.deepEqual(release.on, { push: { tags: ['v*.*.*'] } });
  const commands = release.jobs.publish.steps.flatMap((/** @type {any} */ { run }) => run ?? []);
  assert.match(commands.at(-1), /^npm publish --tag/m);
  for (const needed of ['npm ci', 'npm run build', 'check-release.mjs', 'npm run check', 'npm run test:unit'])
    assert.ok(
      commands.slice(0, -1).some((/** @type {string} */ text) => text.includes(needed)),
      needed,
    );
});

test('issue forms: each is one that GitHub takes', () => {
  for (const name of ['bug', 'idea']) {
    const { name: title, description, body } = parseYaml(read(`.github/ISSUE_TEMPLATE/${name}.yml`));
    assert.ok(title && description);
    const asked = body.filter((/** @type {any} */ { type }) => type !== 'markdown');
    assert.ok(asked.length > 0);
    for (const { type, id, attributes } of asked) {
      assert.ok(['input', 'textarea', 'dropdown', 'checkboxes'].includes(type), type);
      assert.match(id, /^[\w-]+$/);
      assert.ok(attributes.label, id);
      assert.equal(Array.isArray(attributes.options), type === 'dropdown' || type === 'checkboxes', id);
    }
    const ids = asked.map((/** @type {any} */ { id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  }
  const { contact_links: links } = parseYaml(read('.github/ISSUE_TEMPLATE/config.yml'));
  for (const { name, url, about } of links) assert.ok(name && about && url.startsWith('https://'));
});

test('documents of the repository: every link to a file leads to one', () => {
  for (const name of ['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md']) {
    for (const [, to = ''] of read(`.github/${name}`).matchAll(/\]\((?!https:)([^)#]+)/g))
      assert.ok(existsSync(path.join(root, '.github', to)), `${name}: ${to}`);
  }
});

test('changelog: what is to come, and each version in full sentences', () => {
  const [, ...parts] = read('.github/CHANGELOG.md').split(/^## /m);
  assert.match(parts[0] ?? '', /^Unreleased\n/);
  for (const part of parts.slice(1)) assert.match(part, /^\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\)\n/);
  const items = parts.flatMap((part) => part.split(/^- /m).slice(1));
  assert.ok(items.length > 20);
  for (const item of items) assert.match(item.split('\n\n')[0] ?? '', /[.]\s*$/, item);
});

/** A repository in which all agrees, but for what a test puts in. @param {Record<string, string>} [spoiled] */
async function plant(spoiled = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'spandrel-release-'));
  const texts = {
    'package.json': '{ "version": "1.2.0" }',
    'package-lock.json': '{ "version": "1.2.0", "packages": { "": { "version": "1.2.0" } } }',
    'src/version.ts': "export const VERSION: string = '1.2.0';\n",
    '.github/CHANGELOG.md':
      '# Changes\n\n## Unreleased\n\n## 1.2.0 (2026-12-01)\n\n- It is new.\n\n## 1.1.0 (2026-11-01)\n\n- It was.\n',
    ...spoiled,
  };
  for (const [name, text] of Object.entries(texts)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
}

for (const [what, tag, spoiled, expected] of /** @type {const} */ ([
  ['all that agrees is fine', 'v1.2.0', {}, []],
  ['another tag', 'v1.2.1', {}, [/^the tag says 1\.2\.1/]],
  [
    'another lock',
    'v1.2.0',
    { 'package-lock.json': '{ "version": "1.1.0", "packages": { "": {} } }' },
    [/lock/, /lock.*itself/],
  ],
  [
    'another source',
    'v1.2.0',
    { 'src/version.ts': "export const VERSION: string = '1.1.0';" },
    [/version\.ts says 1\.1\.0/],
  ],
  [
    'a changelog without it',
    'v1.2.0',
    { '.github/CHANGELOG.md': '## Unreleased\n\n## 1.1.0 (x)\n\n- It.\n' },
    [/newest version.*1\.1\.0/],
  ],
  [
    'a version without a sentence',
    'v1.2.0',
    { '.github/CHANGELOG.md': '## 1.2.0 (x)\n\n## 1.1.0 (x)\n\n- It.\n' },
    [/says nothing of 1\.2\.0/],
  ],
])) {
  test(`release check: ${what}`, async (t) => {
    const folder = await plant(spoiled);
    t.after(() => rm(folder, { recursive: true, force: true }));
    const wrong = checkRelease(tag, folder);
    assert.equal(wrong.length, expected.length, wrong.join('\n'));
    for (const [at, pattern] of expected.entries()) assert.match(wrong[at] ?? '', pattern);
  });
}

test('release check: the repository as it is', () => {
  assert.deepEqual(checkRelease(`v${manifest.version}`), []);
});

test('size difference: what grew, shrank, came and went, beside its budget', () => {
  const size = (/** @type {number} */ brotli) => ({ minified: 0, brotli });
  const table = tableOf(
    { same: size(10), more: size(1_000), less: size(2_000), gone: size(5) },
    { same: size(10), more: size(2_234), less: size(0), fresh: size(7) },
    { more: 3_000 },
  );
  const rows = table.split('\n').filter((line) => /^\| \w+ \| [\dng]/.test(line));
  assert.deepEqual(rows, [
    '| same | 10 | 10 | 0 |  |',
    '| more | 1,000 | 2,234 | **+1,234** | 3,000 |',
    '| less | 2,000 | 0 | −2,000 |  |',
    '| fresh | new | 7 |  |  |',
    '| gone | 5 | gone |  |  |',
  ]);
});
