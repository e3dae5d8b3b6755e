// What `start()` instruments, in WebKitGTK, which Playwright cannot drive here: one page, used as a user would, and
// then what is in the bucket. `node --test e2e/webkit/page.webkit.mjs`, on the built files.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { ENGINES } from '../faults/engines/index.mjs';
import { startSite } from '../faults/site.mjs';
import { ensureWebKit } from '../support/browsers.mjs';
import { NO_PARTS } from '../support/parts.mjs';

const SHOP = `<button id="buy">Buy</button><button id="break">Break</button><input id="card" type="password">
<script>
  document.querySelector('#buy').addEventListener('click', async () => {
    await fetch('/e2e/emit.js?card=4111');
    history.pushState({}, '', location.pathname + '/product/42' + location.search);
    const request = new XMLHttpRequest();
    request.open('GET', '/e2e/violations.js');
    request.send();
  });
  document.querySelector('#break').addEventListener('click', () => {
    throw new RangeError('out of stock');
  });
</script>`;

/** WebKitGTK runs on Linux only: elsewhere the other engines must do. */
const skip = !process.env['CI'] && process.platform !== 'linux' && 'no WebKitGTK on this machine';

const everything = Object.fromEntries(Object.keys(NO_PARTS).map((name) => [name, true]));

/** @type {Awaited<ReturnType<typeof startSite>>} */
let site;
/** @type {import('../faults/engines/engine.mjs').Browser} */
let browser;
/** @type {import('../faults/engines/engine.mjs').Tab} */
let tab;
/** @type {string} */
let profile;

/** @returns {Promise<any[]>} */
async function spans() {
  const found = [];
  for (const { key } of await site.mock.bucket.list()) {
    const bytes = await site.mock.bucket.get(key);
    if (!bytes) continue;
    const { resourceSpans } = JSON.parse(gunzipSync(bytes).toString());
    for (const { scopeSpans } of resourceSpans)
      found.push(...scopeSpans.flatMap((/** @type {any} */ scope) => scope.spans));
  }
  return found;
}

/**
 * Waits for a span.
 *
 * @param {(span: any) => boolean} isWanted
 * @param {string} what
 */
async function span(isWanted, what) {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const all = await spans();
    const found = all.find(isWanted);
    if (found) return found;
    assert.ok(Date.now() < deadline, `${what} is not among ${all.map(({ name }) => name).join(', ')}`);
    await delay(100);
  }
}

/** @param {any} span @param {string} key */
const attribute = (span, key) => {
  const { value } = span.attributes.find((/** @type {any} */ one) => one.key === key) ?? {};
  return value && Object.values(value)[0];
};

before(async () => {
  if (skip) return;
  ensureWebKit();
  site = await startSite({ isTls: false });
  site.setPage({ options: { ...everything, scheduledDelayMillis: 0 }, body: SHOP });
  profile = await mkdtemp(path.join(tmpdir(), 'spandrel-webkit-'));
  const homeUrl = site.awayUrl.replace('127.0.0.1', 'localhost');
  browser = await ENGINES.webkit.launch({ profile, homeUrl, tls: undefined, hasBfcache: true });
  tab = await browser.open(site.shopUrl);
});

after(async () => {
  await browser?.close();
  await ENGINES.webkit.close();
  await site?.close();
  if (profile) await rm(profile, { recursive: true, force: true, maxRetries: 5 });
});

test('WebKit: the page load is one trace, with the document, its resources and vitals', {
  skip,
}, async () => {
  const load = await span(({ name }) => name.startsWith('load /'), 'the load');
  assert.equal(attribute(load, 'spandrel.activity.type'), 'load');
  assert.match(attribute(load, 'session.id'), /^[\da-f]{32}$/);
  for (const name of ['documentFetch', 'resourceFetch', 'web-vital FCP', 'web-vital TTFB']) {
    const child = await span((one) => one.name === name && one.traceId === load.traceId, name);
    assert.equal(child.parentSpanId, load.spanId);
  }
});

test('WebKit: another route is one trace, with what it fetches', { skip }, async () => {
  await tab.run("document.querySelector('#buy').click()");
  const route = await span(
    ({ name }) => name.startsWith('route /') && name.endsWith('/product/:id'),
    'the route',
  );
  // Begun before the route, by a click that no user made.
  const before = await span((one) => String(attribute(one, 'url.full')).includes('emit.js?'), 'the fetch');
  assert.equal(attribute(before, 'url.full').split('?')[1], 'card=REDACTED');
  const after = await span(
    (one) => String(attribute(one, 'url.full')).includes('violations.js'),
    'the request',
  );
  assert.equal(after.traceId, route.traceId);
  assert.equal(after.parentSpanId, route.spanId);
  for (const one of [before, after]) assert.equal(attribute(one, 'http.response.status_code'), '200');
});

test('WebKit: an uncaught error is an exception event, and the page still hears of it', {
  skip,
}, async () => {
  await tab.run("addEventListener('error', ({ message }) => (globalThis.heard = message), { once: true })");
  await tab.run("document.querySelector('#break').click()");
  const isException = (/** @type {any} */ { name }) => name === 'exception';
  const failed = await span(({ events = [] }) => events.some(isException), 'the error');
  assert.equal(failed.status.code, 2);
  assert.equal(attribute(failed.events.find(isException), 'exception.type'), 'RangeError');
  assert.match(await tab.run('globalThis.heard'), /out of stock/);
});

test('WebKit: what is under way goes with the page that leaves', { skip }, async () => {
  await tab.leave(
    `history.pushState({}, '', '/shop/last' + location.search); location.href = '/away' + location.search`,
  );
  const left = await span(({ name }) => name === 'route /shop/last', 'what the page left');
  assert.match(attribute(left, 'spandrel.activity.end'), /^(leaving|hidden)$/);
});
