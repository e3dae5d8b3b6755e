// The operator's path of the README, word for word: an empty folder, the package as npm would install it, a real store.
// What is written for the reader's own names is put in: the page's origin, the ports, the bucket and its key.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { chromium } from '@playwright/test';
import { listen } from '../../demo/mock-r2/listen.mjs';
import { createBucket } from '../stores/bucket.mjs';
import { useRadosgw } from '../stores/radosgw.mjs';
import { ensureBrowsers, findBrowser } from '../support/browsers.mjs';
import { openDuckdb } from './duckdb.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PATIENCE_MILLIS = 120_000;

/** The fenced blocks of how to come by a bucket and of how to look at it, in order. @returns {Promise<{ language: string, text: string }[]>} */
async function readBlocks() {
  const [, section = ''] =
    /\n## Your own bucket in ten minutes\n([\s\S]*?\n## Look at it\n[\s\S]*?)\n## /.exec(
      await readFile(`${ROOT}README.md`, 'utf8'),
    ) ?? [];
  return [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}

/** @type {Awaited<ReturnType<typeof useRadosgw>>} */
let radosgw;
let folder = '';
before(async () => {
  ensureBrowsers();
  radosgw = await useRadosgw();
  folder = await mkdtemp(path.join(tmpdir(), 'spandrel-operator-'));
});
after(async () => {
  await radosgw?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A free port for a server that is begun later. */
async function freePort() {
  const { origin, close } = await listen(() => {});
  await close();
  return new URL(origin).port;
}

/** A page with the tag of the README, and both of the tag's files. */
async function startSite() {
  let tag = '';
  const site = await listen(async (req, res) => {
    const file = req.url === '/spandrel.js' ? 'script.js' : 'late.js';
    const isScript = req.url === '/spandrel.js' || req.url === '/late.js';
    res.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    const script = path.join(folder, 'node_modules/spandrel/dist', file);
    res.end(
      isScript
        ? await readFile(script)
        : `<!doctype html><title>Shop</title><link rel="icon" href="data:,">${tag}`,
    );
  });
  return Object.assign(site, { setTag: (/** @type {string} */ text) => (tag = text) });
}

/** A backend that keeps the names of spans. */
async function startBackend() {
  /** @type {string[]} */
  const names = [];
  const server = createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const { resourceSpans } = JSON.parse(gunzipSync(Buffer.concat(chunks)).toString());
    for (const { scopeSpans } of resourceSpans)
      for (const { spans } of scopeSpans) for (const { name } of spans) names.push(name);
    res.setHeader('content-type', 'application/json').end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { port, names, close: () => server.close() };
}

test('README: from an empty folder to traces in an engine', { timeout: 300_000 }, async (t) => {
  const blocks = await readBlocks();
  const bucket = await createBucket(radosgw, 'operator');
  const site = await startSite();
  t.after(site.close);
  const backend = await startBackend();
  t.after(backend.close);
  const port = await freePort();
  const packed = spawnSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const tarball = `./${JSON.parse(packed.stdout)[0].filename}`;

  /** What the reader puts in. @param {string} text */
  const mine = (text) =>
    text
      .replaceAll('https://shop.example', site.origin)
      .replaceAll('8787', port)
      .replaceAll('http://localhost:4318', `http://127.0.0.1:${backend.port}`)
      .replaceAll('install spandrel', `install --no-audit --no-fund ${tarball}`);
  /** @param {string} words */
  const block = (words) => {
    const found = blocks.find(({ text }) => text.includes(words));
    assert.ok(found, `README has no block with ${words}`);
    return mine(found.text);
  };
  const values = /** @type {Record<string, string>} */ ({
    SPANDREL_S3_ENDPOINT: radosgw.origin,
    SPANDREL_BUCKET: bucket.options.bucket,
    AWS_REGION: radosgw.region,
    AWS_ACCESS_KEY_ID: radosgw.accessKeyId,
    AWS_SECRET_ACCESS_KEY: radosgw.secretAccessKey,
  });
  const exported = [...block('export ').matchAll(/\b([A-Z_0-9]+)=/g)].map(([, name = '']) => name);
  assert.deepEqual(exported.sort(), Object.keys(values).sort());
  const env = { ...process.env, ...values, NO_COLOR: '1' };
  /** @param {string} command */
  const start = (command) => {
    // A group of its own: npx does not take along what it began.
    const child = spawn('bash', ['-c', command.trim().replace(/&$/, '')], {
      cwd: folder,
      env,
      detached: true,
    });
    t.after(() => process.kill(-Number(child.pid)));
    return child;
  };
  /** @param {string} command */
  async function run(command) {
    // Not `spawnSync`: site and backend answer from this process.
    const child = spawn('bash', ['-c', command], { cwd: folder, env });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    const [code] = await once(child, 'close');
    return { code, output };
  }

  const installed = await run(block('npm init'));
  assert.equal(installed.code, 0, installed.output);
  await writeFile(path.join(folder, 'endpoint.mjs'), block('createIngest('));
  start(block('node endpoint.mjs'));
  const deadline = Date.now() + PATIENCE_MILLIS;
  while (!(await fetch(`http://127.0.0.1:${port}`).catch(() => undefined))) assert.ok(Date.now() < deadline);

  const doctor = block('spandrel doctor');
  const ill = await run(doctor);
  assert.equal(ill.code, 1, ill.output);
  const fixed = await run(`${doctor.trim()} --fix --yes`);
  assert.equal(fixed.code, 0, fixed.output);
  const well = await run(doctor);
  assert.equal(well.code, 0, well.output);

  site.setTag(block('<script'));
  const { launchOptions } = findBrowser('chromium') ?? {};
  const browser = await chromium.launch(launchOptions);
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${site.origin}/`);
  const spans = () => page.evaluate('spandrel.instance.stats().spans.stored');
  while (Number(await spans().catch(() => 0)) === 0) {
    assert.ok(Date.now() < deadline, JSON.stringify(await page.evaluate('spandrel.instance?.stats()')));
    await page.waitForTimeout(100);
  }

  const viewer = start(block('spandrel view'));
  let said = '';
  while (!/http:\S+/.test(said)) said += String(await once(viewer.stdout, 'data'));
  await page.goto(/http:\S+/.exec(said)?.[0] ?? '');
  await page.getByText('load /').first().waitFor();

  const forwarded = await run(block('spandrel forward'));
  assert.equal(forwarded.code, 0, forwarded.output);
  assert.ok(backend.names.includes('load /'), backend.names.join());

  const [pull = '', query = ''] = block('spandrel pull').trim().split('\n');
  const [, recipe = ''] = /^duckdb -init (\S+)/.exec(query) ?? [];
  const pulled = await run(pull);
  assert.equal(pulled.code, 0, pulled.output);
  const duckdb = await openDuckdb();
  t.after(duckdb.close);
  // What DuckDB's command does in this folder.
  const sql = await readFile(path.join(folder, recipe), 'utf8');
  await duckdb.run(sql.replaceAll("'traces/", `'${folder}/traces/`));
  assert.deepEqual(await duckdb.ask("SELECT name, service FROM spans WHERE name LIKE 'load %'"), [
    ['load /', 'shop'],
  ]);
});
