import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { visits } from '../demo/testing/visits.mjs';
import { expect, test } from './support/fixtures.js';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

let folder: string;
let child: ChildProcess;
let url = '';

test.beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'spandrel-view-'));
  const [first, second] = visits({ sessions: 2 });
  await writeFile(path.join(folder, 'plain.json'), JSON.stringify(first));
  await writeFile(path.join(folder, 'packed.json.gz'), gzipSync(JSON.stringify(second)));
  child = spawn(process.execPath, [CLI, 'view', folder, '--interval', '1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Playwright asks its children for colours.
    env: { PATH: process.env['PATH'] },
  });
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    url = /http:\S+/.exec(line)?.[0] ?? url;
    if (/Ctrl\+C/.test(line)) break;
  }
});

test.afterAll(async () => {
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  await exited;
  await rm(folder, { recursive: true });
});

test('view: a folder of plain and packed files, under a strict policy, and what comes later', async ({
  page,
}) => {
  await page.goto(url);
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await expect(page.getByText(folder).first()).toBeVisible();
  await expect(page.getByText('Open the shop')).toHaveCount(0);
  const list = page.getByRole('listbox');
  await expect(list.getByRole('option')).toHaveCount(8);

  const [, , third] = visits({ sessions: 3 });
  await writeFile(path.join(folder, 'later.json'), JSON.stringify(third));
  await expect(list.getByRole('option')).toHaveCount(12);

  await list.getByRole('option').first().click();
  await expect(page.getByRole('tree').or(page.getByRole('treegrid')).first()).toBeVisible();
  // The page's parts leave with it, before the server does.
  await page.goto('about:blank');
});
