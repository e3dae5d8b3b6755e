// Presigned uploads of real browsers: `start()` on a page, the endpoint in Node, the bucket in radosgw.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium, firefox } from '@playwright/test';
import { BROWSER_NAMES, ensureBrowsers, findBrowser } from '../support/browsers.mjs';
import { useRadosgw } from './radosgw.mjs';
import { startShop } from './shop.mjs';

const STORED_MILLIS = 30_000;

/** @type {Awaited<ReturnType<typeof useRadosgw>>} */
let radosgw;

before(async () => {
  ensureBrowsers();
  radosgw = await useRadosgw();
});

after(() => radosgw?.close());

/** Waits for the object with these spans. @param {() => Promise<string[][]>} objects @param {string[]} names */
async function untilStored(objects, names) {
  const deadline = Date.now() + STORED_MILLIS;
  for (;;) {
    const stored = await objects();
    if (stored.some((spans) => spans.join() === names.join())) return;
    if (Date.now() > deadline)
      assert.fail(`there is no object with ${names}, only ${JSON.stringify(stored)}`);
    await delay(50);
  }
}

/** @param {import('../support/browsers.mjs').BrowserName} name */
const launch = (name) => {
  const { channel, launchOptions } = findBrowser(name) ?? { browserName: name };
  return { chromium, firefox }[name].launch({ ...(channel && { channel }), ...launchOptions });
};

/** In the page. @param {string} name */
const makeTrace = (name) => /** @type {any} */ (globalThis).spandrel.instance.tracer.startSpan(name).end();

/**
 * In the page: goes elsewhere, and makes a trace at the last moment. Firefox sends what was there before by `fetch`, when
 * the navigation begins.
 *
 * @param {{ name: string, url: string }} what
 */
function leave({ name, url }) {
  const page = /** @type {any} */ (globalThis);
  page.atLast = () => page.spandrel.instance.tracer.startSpan(name).end();
  location.href = url;
}

/**
 * A shop, and a page of it in a browser, for one test. Nothing may be said on the console or by the endpoint.
 *
 * @param {import('node:test').TestContext} context
 * @param {import('../support/browsers.mjs').BrowserName} name
 * @param {'put' | 'post'} uploads
 */
async function visit(context, name, uploads) {
  const bucket = `${uploads}-${name}`;
  const shop = await startShop(radosgw, { bucket, uploads, maxUploadBytes: 65_536 });
  context.after(shop.close);
  const browser = await launch(name);
  context.after(() => browser.close());
  const page = await browser.newPage();
  /** @type {string[]} */
  const said = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(String(error)));
  await page.goto(shop.url);
  return {
    shop,
    page,
    /** @param {number} [relayCount] How many blobs went by the endpoint. */
    async expectQuiet(relayCount = 0) {
      const relays = shop.asked.filter((query) => query.includes('relay'));
      assert.deepEqual([said, shop.errors, relays.length], [[], [], relayCount]);
    },
  };
}

for (const name of BROWSER_NAMES) {
  test(`${name}: a form stores a trace without a preflight, and the endpoint the last one, from a beacon`, async (context) => {
    const { shop, page, expectQuiet } = await visit(context, name, 'post');
    await page.evaluate(makeTrace, 'first');
    await untilStored(shop.objects, ['first']);
    await page.evaluate(leave, { name: 'last', url: shop.awayUrl });
    await untilStored(shop.objects, ['last']);
    await page.waitForURL(shop.awayUrl);
    const posted = { method: 'POST', path: `/post-${name}`, status: 204 };
    assert.deepEqual(
      shop.requests.filter(({ fetchMode }) => fetchMode),
      [{ ...posted, fetchMode: 'cors' }],
    );
    assert.deepEqual((await shop.objects()).sort(), [['first'], ['last']]);
    await expectQuiet(1);
  });

  test(`${name}: a presigned PUT of one length stores a trace, after a preflight that the rules allow`, async (context) => {
    const { shop, page, expectQuiet } = await visit(context, name, 'put');
    await page.evaluate(makeTrace, 'first');
    await untilStored(shop.objects, ['first']);
    const [{ path = '' } = {}] = shop.requests;
    assert.deepEqual(shop.requests, [
      { method: 'OPTIONS', path, fetchMode: 'cors', status: 200 },
      { method: 'PUT', path, fetchMode: 'cors', status: 200 },
    ]);
    // A wrong length is a 403; see `presigned.test.mjs`. What was signed is in the URL.
    assert.match(
      shop.queries[1] ?? '',
      /X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bif-none-match/,
    );
    await expectQuiet();
  });
}
