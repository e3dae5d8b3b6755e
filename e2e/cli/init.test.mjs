// `spandrel init` as a process: what it writes, what it leaves, and what it says of both.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { spandrel } from './run-command.mjs';

const FILES = {
  workers: ['.env.example', 'public/index.html', 'worker.js', 'wrangler.toml'],
  node: ['.env.example', 'endpoint.mjs', 'page.html'],
  hono: ['.env.example', 'page.html', 'server.mjs'],
};

/** @param {import('node:test').TestContext} t */
async function emptyFolder(t) {
  const folder = await mkdtemp(path.join(tmpdir(), 'spandrel-init-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The files below a folder, with slashes. @param {string} folder */
const listed = async (folder) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();

for (const [platform, expected] of Object.entries(FILES)) {
  test(`init ${platform}: writes its files, no secret among them, and says what is left to do`, async (t) => {
    const folder = await emptyFolder(t);
    const { code, stdout, stderr } = await spandrel(
      ['init', platform],
      { AWS_SECRET_ACCESS_KEY: 'hush-hush' },
      folder,
    );
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    assert.deepEqual(await listed(folder), expected);
    for (const name of expected) {
      assert.ok(stdout.includes(`${name} `), name);
      assert.doesNotMatch(await readFile(path.join(folder, name), 'utf8'), /hush-hush/);
    }
    assert.match(stdout, /npm install spandrel.*\.env\.example.*doctor.*view/s);
    const again = await spandrel(['init', platform, '--json'], {}, folder);
    assert.equal(again.code, 0);
    assert.deepEqual(
      again.json.files.map((/** @type {any} */ { status }) => status),
      expected.map(() => 'same'),
    );
  });
}

test('init: leaves what is there, says so, and writes the rest; --force writes over it', async (t) => {
  const folder = await emptyFolder(t);
  await writeFile(path.join(folder, 'endpoint.mjs'), 'my own');
  const own = () => readFile(path.join(folder, 'endpoint.mjs'), 'utf8');
  const first = await spandrel(['init', 'node'], {}, folder);
  assert.equal(first.code, 1);
  assert.match(first.stdout, /endpoint\.mjs +there already, another: left as it is; --force/);
  assert.match(first.stdout, /page\.html +written/);
  assert.equal(await own(), 'my own');
  const look = await spandrel(['init', 'node', '--force', '--dry-run'], {}, folder);
  assert.match(look.stdout, /endpoint\.mjs +would be overwritten/);
  assert.equal(await own(), 'my own');
  const forced = await spandrel(['init', 'node', '--force'], {}, folder);
  assert.equal(forced.code, 0);
  assert.match(forced.stdout, /endpoint\.mjs +overwritten/);
  assert.match(await own(), /createIngest/);
});

test('init --dry-run: writes nothing', async (t) => {
  const folder = await emptyFolder(t);
  const { code, json } = await spandrel(['init', 'workers', '--dry-run', '--json'], {}, folder);
  assert.equal(code, 0);
  assert.equal(json.dryRun, true);
  assert.deepEqual(json.files.map((/** @type {any} */ { path: name }) => name).sort(), FILES.workers);
  assert.deepEqual(await listed(folder), []);
});

test('init: does not write through a link that leads nowhere, nor below a file', async (t) => {
  const folder = await emptyFolder(t);
  const elsewhere = path.join(await emptyFolder(t), 'elsewhere.mjs');
  await symlink(elsewhere, path.join(folder, 'endpoint.mjs'));
  const linked = await spandrel(['init', 'node'], {}, folder);
  assert.equal(linked.code, 1);
  assert.match(linked.stderr, /^error: endpoint\.mjs cannot be written \(EEXIST\)$/m);
  assert.ok(!existsSync(elsewhere));
  await writeFile(path.join(folder, 'public'), 'a file');
  const below = await spandrel(['init', 'workers'], {}, folder);
  assert.equal(below.code, 1);
  assert.match(below.stderr, /^error: public\/index\.html cannot be read \(ENOTDIR\)$/m);
  await mkdir(path.join(folder, 'server.mjs'));
  const folderThere = await spandrel(['init', 'hono', '--force'], {}, folder);
  assert.match(folderThere.stderr, /^error: server\.mjs cannot be read \(EISDIR\)$/m);
});

test('init: a platform that there is not, or none, writes nothing', async (t) => {
  const folder = await emptyFolder(t);
  for (const [args, said] of /** @type {const} */ ([
    [['init', 'deno'], /no platform "deno": it takes workers, node, hono/],
    [['init', 'constructor'], /no platform "constructor"/],
    [['init'], /missing required argument 'platform'/],
  ])) {
    const { code, stderr } = await spandrel([...args], {}, folder);
    assert.equal(code, 2);
    assert.match(stderr, said);
  }
  assert.deepEqual(await listed(folder), []);
});
