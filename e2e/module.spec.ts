/** The package as one ES module, for pages without a bundler: by an import map, and by its address. */
import { readFileSync } from 'node:fs';
import { expect, test } from './support/fixtures.js';
import { NO_PARTS } from './support/parts.mjs';

const FILE = '/dist/spandrel.mjs';
const HASH = readFileSync(new URL('../dist/spandrel.mjs.sri', import.meta.url), 'utf8');

const html = (scripts: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,">${scripts}</head><body><button id="act">Act</button></body></html>`;

const usage = (from: string, service: string): string => `
  import { start } from '${from}';
  const options = ${JSON.stringify({ service, endpoint: '/spandrel', scheduledDelayMillis: 0, ...NO_PARTS })};
  globalThis.running = start(options);
  running.tracer.startSpan('a').end();`;

declare global {
  var running: import('../src/start.js').Spandrel;
}

test('an import map: a span is delivered, straight into the bucket, and the page loads one file of ours', async ({
  page,
  site,
}) => {
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.resourceType() === 'script') asked.push(new URL(request.url()).pathname);
  });
  const map = { imports: { spandrel: `${FILE}?v=1` }, integrity: { [`${FILE}?v=1`]: HASH } };
  const policy = `default-src 'none'; script-src 'nonce-r4nd0m'; img-src data:; connect-src 'self' ${site.mock.bucketOrigin}`;
  const scripts = `<script type="importmap" nonce="r4nd0m">${JSON.stringify(map)}</script>
    <script type="module" nonce="r4nd0m">${usage('spandrel', site.service)}</script>`;
  await page.goto(site.serve(html(scripts), { 'content-security-policy': policy }));
  await site.expectStored(['a']);
  const relayed = site.mock.requests.list().filter(({ queryNames }) => queryNames.includes('relay'));
  expect(relayed).toEqual([]);
  expect(asked).toEqual([FILE]);
  expect(await page.evaluate(() => running.stats().errors)).toEqual([]);
});

test('its address: the same exports as the package, and nothing global', async ({ page, site }) => {
  await page.goto(site.serve(html(`<script type="module">${usage(FILE, site.service)}</script>`)));
  await site.expectStored(['a']);
  const [ofFile, globals] = await page.evaluate(async (file) => {
    const exported = await import(file);
    return [Object.keys(exported).sort(), 'spandrel' in globalThis] as const;
  }, FILE);
  const ofPackage = Object.keys(await import(new URL('../dist/index.js', import.meta.url).href)).sort();
  expect(ofFile).toEqual(ofPackage);
  expect(globals).toBe(false);
});

test('an integrity of another build: nothing starts', async ({ page, site, allowConsole }) => {
  allowConsole(/integrity/i);
  const map = { imports: { spandrel: FILE }, integrity: { [FILE]: HASH.replace(/.$/, '0') } };
  const scripts = `<script type="importmap">${JSON.stringify(map)}</script>
    <script type="module">${usage('spandrel', site.service)}</script>
    <script type="module">globalThis.ready = true;</script>`;
  await page.goto(site.serve(html(scripts)));
  await page.waitForFunction(() => globalThis.ready);
  expect(await page.evaluate(() => typeof globalThis.running)).toBe('undefined');
});
