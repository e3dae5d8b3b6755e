/** What `spandrel init` writes, as somebody tries it: the page of its server, a click, and the traces in the bucket. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { listen } from '../demo/mock-r2/listen.mjs';
import { defaultRules } from '../demo/mock-r2/mock-r2.mjs';
import { S3_PATH } from '../demo/mock-r2/start-miniflare.mjs';
import { expect, test } from './support/fixtures.js';
import { readObjects } from './support/otlp.js';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
/** Within the repository, where the package finds itself by its name. */
const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url));

test('init node: its page is traced, straight into the bucket', async ({ page, site }) => {
  const folder = mkdtempSync(`${CACHE}init-`);
  const { origin, close } = await listen(() => {});
  await close();
  const { accessKeyId, secretAccessKey, bucket } = site.mock.owner;
  const env = {
    ...{ PATH: process.env['PATH'], PORT: new URL(origin).port },
    ...{ SPANDREL_S3_ENDPOINT: site.mock.bucketOrigin + S3_PATH, SPANDREL_BUCKET: bucket },
    ...{ AWS_REGION: 'auto', AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
  };
  expect(spawnSync(process.execPath, [CLI, 'init', 'node'], { cwd: folder }).status).toBe(0);
  const server = spawn(process.execPath, ['endpoint.mjs'], { cwd: folder, env });
  try {
    await once(server.stdout, 'data');
    site.mock.setCors({ rules: defaultRules([origin]) });
    await page.goto(origin);
    await page.click('button');
    const names = async (): Promise<string> => {
      // What ended meanwhile would wait for company.
      await page.evaluate(() => globalThis.spandrel.flush());
      const objects = await readObjects(site.mock.bucket, 'my-site');
      return objects.flatMap(({ spans }) => spans.map(({ name }) => name)).join(', ');
    };
    await expect.poll(names).toMatch(/^(?=.*load \/)(?=.*click )/);
    const relayed = site.mock.requests.list().filter(({ queryNames }) => queryNames.includes('relay'));
    expect(relayed).toEqual([]);
    expect(await page.evaluate(() => globalThis.spandrel.instance?.stats().errors)).toEqual([]);
  } finally {
    server.kill();
    rmSync(folder, { recursive: true });
  }
});
