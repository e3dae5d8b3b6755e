/** Rage clicks and dead clicks, on the built script tag. */
import type { Page } from '@playwright/test';
import { expect, letTimePass, type Site, test } from './support/fixtures.js';
import { attributeOf, type OtlpSpan } from './support/otlp.js';

const BODY = `
  <button id="dead">Dead</button>
  <p data-spandrel-live id="clock"></p>
  <div id="pointer" style="cursor: pointer">Looks like a link</div>
  <p id="words">Some words that nobody would click</p>
  <a id="link" href="#there">Link</a>
  <a id="away" href="/away" onclick="event.preventDefault(); history.pushState({}, '', '/elsewhere')">Route</a>
  <button id="toggle" onclick="this.classList.toggle('on')">Toggle</button>
  <button id="focuses" onclick="document.querySelector('#field').focus()">Focuses</button>
  <button id="fetches" onclick="fetch('/icon.svg?click')">Fetches</button>
  <button id="scrolls" onclick="window.scrollTo(0, scrollY ? 0 : 500)">Scrolls</button>
  <button id="beacons" onclick="navigator.sendBeacon('/counted')">Counts clicks</button>
  <button id="slow" onclick="setTimeout(() => this.classList.add('on'), 1500)">Slow</button>
  <button id="counter" onclick="this.textContent++">0</button>
  <button id="ignored">Ignored</button>
  <label>Box <input id="box" type="checkbox"></label>
  <input id="field" value="a few words">
  <div id="shadow"></div>
  <div style="height: 3000px"></div>
  <script>
    setInterval(() => { document.querySelector('#clock').textContent = Date.now(); }, 200);
    const root = document.querySelector('#shadow').attachShadow({ mode: 'open' });
    root.innerHTML = '<button id="inside" onclick="this.classList.toggle(1)">In a shadow tree</button>';
  </script>`;
const OPTIONS = { interactions: true, fetch: true, routes: true, frustration: true };

/** What vexed, as `{event} {span's name} {clicks}`. */
async function vexed(site: Site): Promise<string[]> {
  const of = ({ name, events = [] }: OtlpSpan): string[] =>
    events
      .filter((event) => event.name.endsWith('_click'))
      .map((event) => `${event.name} ${name} ${attributeOf(event.attributes, 'spandrel.click.count')}`);
  return (await site.spans()).flatMap(of).sort();
}

/** Opens the page, and waits for the second file, which looks. */
async function open(page: Page, site: Site): Promise<void> {
  await site.open(page, OPTIONS, { body: BODY });
  await page.evaluate(() => globalThis.spandrel.flush());
}
/** Longer than a click may take to be found dead. */
const wait = (page: Page): Promise<void> => letTimePass(page, 2_200);

test('dead clicks: on a button and on what has a pointer, each a trace of its own', async ({
  page,
  site,
}) => {
  site.host.route('/counted', async (_req, res) => void res.writeHead(204).end());
  await open(page, site);
  await page.click('#dead');
  await expect.poll(() => vexed(site)).toEqual(['spandrel.dead_click click button#dead 1']);
  await page.click('#pointer');
  await wait(page);
  await page.click('#beacons');
  await expect
    .poll(() => vexed(site))
    .toEqual([
      'spandrel.dead_click click button#beacons 1',
      'spandrel.dead_click click button#dead 1',
      'spandrel.dead_click click div#pointer 1',
    ]);
  const [span] = await site.spans();
  expect(span?.parentSpanId ?? '').toBe('');
  expect(attributeOf(span?.attributes, 'spandrel.activity.type')).toBe('interaction');
  expect(attributeOf(span?.attributes, 'session.id')).toMatch(/^[\da-f]{32}$/);
});

test('dead clicks: none where something answers', async ({ page, site }) => {
  // Two seconds for each.
  test.setTimeout(120_000);
  await open(page, site);
  const answered = [
    '#link',
    '#away',
    '#toggle',
    '#focuses',
    '#fetches',
    '#scrolls',
    '#slow',
    '#box',
    '#field',
  ];
  for (const target of [...answered, '#inside', '#words']) {
    await page.click(target);
    await wait(page);
  }
  // A word is selected, and a line.
  await page.dblclick('#words');
  await wait(page);
  await page.click('#words', { clickCount: 3 });
  await wait(page);
  await page.click('#dead', { modifiers: ['Shift'] });
  await wait(page);
  await page.click('#dead');
  await expect.poll(() => vexed(site)).toEqual(['spandrel.dead_click click button#dead 1']);
});

test('dead clicks: none of a link that leaves the page, however slow', async ({ page, site }) => {
  site.host.route('/slow', async (_req, res) => {
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    res
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<!doctype html><title>Slow</title><link rel="icon" href="data:,">');
  });
  await site.open(page, OPTIONS, { body: '<a id="leave" href="/slow">Leave</a>' });
  await page.evaluate(() => globalThis.spandrel.flush());
  await page.click('#leave');
  await page.waitForURL('**/slow');
  expect(await vexed(site)).toEqual([]);
});

test('rage clicks: three on one target within a second, on the activity or with the dead click', async ({
  page,
  site,
}) => {
  await open(page, site);
  for (let clicks = 0; clicks < 4; clicks++) await page.click('#dead');
  const dead = ['spandrel.dead_click click button#dead 4', 'spandrel.rage_click click button#dead 4'];
  await expect.poll(() => vexed(site)).toEqual(dead);
  const withEvents = (await site.spans()).filter(({ events }) => events?.length);
  expect(withEvents, 'one trace tells of both').toHaveLength(1);

  for (let clicks = 0; clicks < 3; clicks++) await page.click('#counter');
  const all = [...dead, 'spandrel.rage_click click button#counter 3'].sort();
  await expect.poll(() => vexed(site)).toEqual(all);

  // On three targets, and too slowly.
  for (const target of ['#toggle', '#counter', '#focuses']) await page.click(target);
  for (let clicks = 0; clicks < 3; clicks++) {
    await page.click('#toggle');
    await letTimePass(page, 600);
  }
  await wait(page);
  expect(await vexed(site)).toEqual(all);
});

test('frustration: nothing is looked at where it is off, and no listener stays after shutdown', async ({
  page,
  site,
}) => {
  await site.open(page, { ...OPTIONS, frustration: false }, { body: BODY });
  await page.evaluate(() => globalThis.spandrel.flush());
  await page.click('#dead');
  await wait(page);
  await page.goto('about:blank');
  await open(page, site);
  await page.click('#dead');
  await page.evaluate(() => globalThis.spandrel.instance?.shutdown());
  await page.click('#dead');
  await wait(page);
  expect(await vexed(site)).toEqual([]);
});
