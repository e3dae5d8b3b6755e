// What `spandrel init` writes runs: from the packed package in a folder of its own, with a store, by an exchange and an upload.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Log, LogLevel, Miniflare } from 'miniflare';
import { listen } from '../../demo/mock-r2/listen.mjs';
import { startMockR2 } from '../../demo/mock-r2/mock-r2.mjs';
import { put, send } from '../../demo/testing/client.mjs';
import { ensureTool } from '../support/tools.mjs';
import { install } from './installed.mjs';

/** A connection for each request: one whose body was not read, as it was refused, is closed by the server. */
const agent = new Agent({ keepAlive: false });
const LIMIT = { timeout: 180_000 };
const BYTES = gzipSync(JSON.stringify({ resourceSpans: [] }));

/** @type {Awaited<ReturnType<typeof install>>} */
let installed;
/** @type {Awaited<ReturnType<typeof startMockR2>>} */
let mock;
before(async () => {
  [installed, mock] = await Promise.all([install(['hono']), startMockR2({ allowedOrigins: [] })]);
}, LIMIT);
after(() => Promise.all([installed?.remove(), mock?.close()]));

/** A folder with what `init` writes, and with the `.env` that the reader makes of `.env.example`. @param {string} platform */
async function initialised(platform) {
  const folder = path.join(installed.folder, platform);
  await mkdir(folder);
  await symlink(path.join(installed.folder, 'node_modules'), path.join(folder, 'node_modules'), 'dir');
  const cli = path.join(folder, 'node_modules/spandrel/dist/cli.js');
  const { status, stderr } = spawnSync(process.execPath, [cli, 'init', platform], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  const { endpoint, bucket, accessKeyId, secretAccessKey } = mock.owner;
  /** @type {Record<string, string>} */
  const values = {
    ...{ SPANDREL_S3_ENDPOINT: endpoint, SPANDREL_BUCKET: bucket },
    ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    SPANDREL_ORIGINS: 'https://shop.example,https://www.shop.example',
  };
  const example = await readFile(path.join(folder, '.env.example'), 'utf8');
  const env = example.replace(/^(\w+)=$/gm, (line, name) => line + assertString(values[name], name));
  for (const name of Object.keys(values)) assert.match(env, new RegExp(`^${name}=.`, 'm'));
  await writeFile(path.join(folder, '.env'), env);
  return { folder, values: { AWS_REGION: 'auto', ...values } };
}

/** @param {string | undefined} value @param {string} name */
function assertString(value, name) {
  assert.ok(value !== undefined, `.env.example asks for ${name}`);
  return value;
}

/** A UUIDv7 of now. */
function newId() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 15);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 63);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** One exchange as a page sends it, and the upload that it answers. @param {string} url @param {string} origin */
async function deliver(url, origin) {
  const id = newId();
  const request = { v: 2, wants: [{ id, bytes: BYTES.length }], stored: [], lost: {} };
  const headers = { origin, 'content-type': 'text/plain' };
  const answer = await send(url, { method: 'POST', headers, body: JSON.stringify(request), agent });
  assert.equal(answer.status, 200, answer.text);
  const [upload] = JSON.parse(answer.text).uploads;
  assert.equal((await put(upload, BYTES, {}, agent)).status, 200);
  const [key] = (await mock.bucket.list()).map(({ key }) => key).filter((key) => key.includes(id));
  assert.deepEqual(Buffer.from((await mock.bucket.get(key ?? '')) ?? ''), BYTES);
}

/** Pages of the endpoint's own origin, those that `.env` names, and no others. @param {string} origin */
async function expectOrigins(origin) {
  await deliver(`${origin}/spandrel`, origin);
  await deliver(`${origin}/spandrel`, 'https://www.shop.example');
  const body = JSON.stringify({ v: 2, wants: [], stored: [], lost: {} });
  const headers = { origin: 'https://other.example', 'content-type': 'text/plain' };
  assert.equal((await send(`${origin}/spandrel`, { method: 'POST', headers, body, agent })).status, 403);
}

const WHOLE = new URL('../../dist/spandrel.whole.js', import.meta.url);

for (const [platform, file] of /** @type {const} */ ([
  ['node', 'endpoint.mjs'],
  ['hono', 'server.mjs'],
])) {
  test(
    `init ${platform}: the endpoint starts with the values of .env, takes what a page sends, and serves a page`,
    LIMIT,
    async (t) => {
      const { folder } = await initialised(platform);
      const { origin: free, close } = await listen(() => {});
      await close();
      const { port } = new URL(free);
      const child = spawn(process.execPath, ['--env-file=.env', file], {
        cwd: folder,
        env: { PATH: process.env['PATH'], PORT: port },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      t.after(() => child.kill());
      const [said] = await once(child.stdout, 'data');
      assert.equal(String(said).trim(), `http://localhost:${port}`);
      const origin = `http://127.0.0.1:${port}`;
      await expectOrigins(origin);
      const page = await send(origin, { agent });
      assert.match(String(page.headers['content-type']), /^text\/html/);
      const [, src = '', endpoint = ''] =
        /<script src="(\S+)"[^>]* data-endpoint="(\S+)"/.exec(page.text) ?? [];
      assert.equal(endpoint, '/spandrel');
      const script = await send(origin + src, { agent });
      assert.match(String(script.headers['content-type']), /^text\/javascript/);
      assert.ok(script.body.equals(await readFile(WHOLE)));
      assert.equal((await send(`${origin}/nothing`, { agent })).status, 404);
    },
  );
}

// The command refuses Node 20, which this file runs on as well; the tool behind it does not.
const wrangler = () => path.join(ensureTool('wrangler'), 'wrangler-dist/cli.js');

test(
  'init workers: wrangler bundles it as it is configured, and the Worker takes what a page sends',
  LIMIT,
  async (t) => {
    const { folder, values } = await initialised('workers');
    const out = path.join(folder, 'out');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [wrangler(), 'deploy', '--dry-run', '--outdir', out],
      {
        cwd: folder,
        env: {
          ...process.env,
          CI: 'true',
          WRANGLER_SEND_METRICS: 'false',
          WRANGLER_LOG_PATH: out,
          NO_COLOR: '1',
        },
        encoding: 'utf8',
      },
    );
    assert.equal(status, 0, stdout + stderr);
    // Its own word, as for a setting that it does not know. On Node 20 it says that it wants another.
    assert.doesNotMatch(stdout + stderr, /WARNING(?!.*at least Node\.js)/);
    const config = path.join(folder, 'wrangler.toml');
    const { workerOptions } = createRequire(import.meta.url)(wrangler()).unstable_getMiniflareWorkerOptions(
      config,
    );
    const vars = Object.keys(workerOptions.bindings);
    for (const name of vars) assert.ok(name in values, `${name} is in no .env.example`);
    // The script that the page's tag names, beside the page.
    assert.match(
      await readFile(path.join(folder, 'public/index.html'), 'utf8'),
      /<script src="\/spandrel\.js"/,
    );
    assert.ok((await readFile(path.join(folder, 'public/spandrel.js'))).equals(await readFile(WHOLE)));

    const miniflare = new Miniflare({
      cf: false,
      log: new Log(LogLevel.ERROR),
      compatibilityDate: workerOptions.compatibilityDate,
      modules: [
        {
          type: 'ESModule',
          path: 'worker.js',
          contents: await readFile(path.join(out, 'worker.js'), 'utf8'),
        },
      ],
      bindings: values,
    });
    t.after(() => miniflare.dispose());
    const { origin } = await miniflare.ready;
    await expectOrigins(origin);
    assert.equal((await send(`${origin}/nothing`, { agent })).status, 404);
  },
);
