import type { Page } from '@playwright/test';
import { expect, letTimePass, makeTraces, test } from './support/fixtures.js';
import { attributeOf } from './support/otlp.js';

const NOTE = 'spandrel-1 session';

test('session: one id for the tabs of an origin, over reloads, in no cookie; another after half an hour', async ({
  page,
  site,
  context,
}) => {
  const idOf = async (name: string): Promise<unknown> => {
    await expect.poll(async () => (await site.spans()).map((span) => span.name)).toContain(name);
    const span = (await site.spans()).find((one) => one.name === name);
    return attributeOf(span?.attributes, 'session.id');
  };
  const use = (tab: Page, task: () => void): Promise<void> => tab.evaluate(task);

  const url = await site.open(page);
  await makeTraces(page, ['first'], 1);
  const id = await idOf('first');
  expect(id).toMatch(/^[\da-f]{32}$/);
  expect(await idOf('first child 1')).toBe(id);
  const root = (await site.spans()).find(({ name }) => name === 'first');
  const startedAt = String(attributeOf(root?.attributes, 'spandrel.session.started_at'));
  expect(Math.abs(Date.parse(startedAt) - Date.now())).toBeLessThan(60_000);

  await page.reload();
  await makeTraces(page, ['reloaded']);
  expect(await idOf('reloaded')).toBe(id);
  const other = await context.newPage();
  await other.goto(url);
  await makeTraces(other, ['other']);
  expect(await idOf('other')).toBe(id);
  expect(await context.cookies()).toEqual([]);

  // As if nobody had done anything for so long; what the other tab says is heard at once.
  await use(other, () => {
    const kept = JSON.parse(localStorage.getItem('spandrel-1 session') ?? '');
    const day = 24 * 60 * 60_000;
    const { now } = Date;
    Date.now = () => now() + day;
    kept.startedAt += day - 31 * 60_000;
    kept.usedAt = kept.startedAt;
    localStorage.setItem('spandrel-1 session', JSON.stringify(kept));
  });
  // The note is read once a second at most.
  await letTimePass(other, 1_100);
  await makeTraces(other, ['much later']);
  const next = await idOf('much later');
  expect(next).not.toBe(id);
  const later = (await site.spans()).find(({ name }) => name === 'much later');
  expect(attributeOf(later?.attributes, 'session.previous_id')).toBe(id);
  expect(await other.evaluate((name) => localStorage.getItem(name), NOTE)).toContain(String(next));
});

test('session: where storage is forbidden, or holds nonsense, there is one all the same', async ({
  page,
  site,
}) => {
  const forbid = `<script>
    Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });
  </script>`;
  for (const [name, head] of [
    ['forbidden', forbid],
    ['nonsense', `<script>localStorage.setItem('${NOTE}', '{"id":"<b>","startedAt":{}}')</script>`],
    ['off', ''],
  ] as const) {
    await site.open(page, name === 'off' ? { session: false } : {}, { head });
    await makeTraces(page, [name], 1);
    await expect.poll(async () => (await site.spans()).map((span) => span.name)).toContain(name);
    const ids = (await site.spans())
      .filter((span) => span.name.startsWith(name))
      .map(({ attributes }) => attributeOf(attributes, 'session.id'));
    expect(new Set(ids).size).toBe(1);
    if (name === 'off') expect(ids).toEqual([undefined, undefined]);
    else expect(ids[0]).toMatch(/^[\da-f]{32}$/);
    expect(await page.evaluate(() => globalThis.spandrel.instance?.stats().exceptions)).toBe(0);
  }
});
