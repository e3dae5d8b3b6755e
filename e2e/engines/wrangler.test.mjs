// The example Worker's configuration, as Cloudflare's own tool reads it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { workerInMiniflare } from '../../demo/worker/in-miniflare.mjs';
import { ensureTool } from '../support/tools.mjs';

const CONFIG = fileURLToPath(new URL('../../demo/worker/wrangler.jsonc', import.meta.url));
// The command refuses Node 20, which this file runs on as well; the tool behind it does not.
const WRANGLER = path.join(ensureTool('wrangler'), 'wrangler-dist/cli.js');

test('wrangler: bundles the example Worker and knows all that it is bound to', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'spandrel-wrangler-'));
  try {
    const args = [WRANGLER, 'deploy', '--dry-run', '--outdir', folder, '-c', CONFIG];
    const env = {
      ...process.env,
      CI: 'true',
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_LOG_PATH: folder,
      NO_COLOR: '1',
    };
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
    for (const binding of ['env.QUOTA (QuotaObject)', 'env.TRACES (traces)', 'env.LIMITER', 'env.ASSETS']) {
      assert.ok(stdout.includes(binding), `${binding} is not in ${stdout}`);
    }
    assert.match(readFileSync(path.join(folder, 'worker.js'), 'utf8'), /resourceSpans/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('wrangler: reads its configuration as the demo does', async () => {
  const { unstable_getMiniflareWorkerOptions: read } = createRequire(import.meta.url)(WRANGLER);
  const theirs = read(CONFIG).workerOptions;
  const ours = await workerInMiniflare({ assets: async () => new Response(), warehouseUrl: '' })(
    /** @type {any} */ ({ r2: { id: 'traces' }, settings: { secret: '', storage: {} } }),
  );
  const parts = ['compatibilityDate', 'compatibilityFlags', 'r2Buckets', 'durableObjects'];
  for (const part of [...parts, 'queueConsumers']) {
    // What is undefined is not there.
    const [our, their] = [/** @type {any} */ (ours)[part], theirs[part]].map((value) =>
      JSON.stringify(value),
    );
    assert.equal(our, their, part);
  }
  assert.deepEqual(Object.keys(ours.ratelimits ?? {}), Object.keys(theirs.ratelimits));
  assert.deepEqual(/** @type {any} */ (ours).ratelimits.LIMITER.simple, theirs.ratelimits.LIMITER.simple);
  const names = Object.keys(ours.bindings ?? {});
  for (const name of Object.keys(theirs.bindings)) assert.ok(names.includes(name), name);
});
