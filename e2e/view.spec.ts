import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { visits } from '../demo/testing/visits.mjs';
import { expect, test } from './support/fixtures.js';
import { startView } from './support/view.js';

let folder: string;
let view: Awaited<ReturnType<typeof startView>>;

test.beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'spandrel-view-'));
  const [first, second] = visits({ sessions: 2 });
  await writeFile(path.join(folder, 'plain.json'), JSON.stringify(first));
  await writeFile(path.join(folder, 'packed.json.gz'), gzipSync(JSON.stringify(second)));
  view = await startView(folder);
});

test.afterAll(async () => {
  await view.close();
  await rm(folder, { recursive: true });
});

test('view: a folder of plain and packed files, under a strict policy, and what comes later', async ({
  page,
  allowConsole,
}) => {
  await page.goto(view.url);
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
  // An address that is mistyped is answered with a page, and one without its slash is found.
  allowConsole(/status of 404/);
  const { origin } = new URL(view.url);
  for (const path of ['/no/such/page', '/viewer/nothing', '/viewer/nothing.html']) {
    expect((await page.goto(origin + path))?.status()).toBe(404);
    await page.getByRole('link', { name: 'To the traces' }).click();
    await expect(list).toBeVisible();
  }
  await page.goto(`${origin}/viewer`);
  await expect(list).toBeVisible();
  // The page's parts leave with it, before the server does.
  await page.goto('about:blank');
});
