// A visit as the simulation of costs has it, in real Chromium, at the speed of a person. What it did is counted at the
// bucket and at the endpoint.
import { gunzipSync } from 'node:zlib';
import { startHost } from '../../demo/host.mjs';

const VIEWS = 4;
const FETCHES_PER_VIEW = 4;
/** Between one thing that a person does and the next. */
const PAUSE_MILLIS = 5_000;
/** In one browser, one after the other: what one leaves unconfirmed, the next asks about. */
const VISITS = 3;
const AFTERMATH_MILLIS = 3_000;

/** @typedef {'app' | 'documents'} Kind One document and three routes, or four documents. */

const APP = `
  const load = (path) => fetch(path).then((response) => response.json());
  const show = async (view) => {
    document.querySelector('h1').textContent = 'View ' + view;
    await Promise.all(Array.from({ length: ${FETCHES_PER_VIEW} }, (_, id) => load('/items/' + id + '?view=' + view)));
  };
  const viewOf = () => Number(new URLSearchParams(location.search).get('view') ?? 1);
  document.querySelector('#next').addEventListener('click', (event) => {
    if (document.documentElement.dataset.kind !== 'app') return;
    event.preventDefault();
    history.pushState(null, '', '?view=' + (viewOf() + 1));
    show(viewOf());
  });
  document.querySelector('#buy').addEventListener('click', () => load('/items/9?bought=' + viewOf()));
  show(viewOf());`;

/** @param {Kind} kind @param {string} attributes */
const html = (kind, attributes) => `<!doctype html>
<html lang="en" data-kind="${kind}">
<head>
<meta charset="utf-8"><title>shop</title><link rel="icon" href="data:,">
<script src="/dist/script.js" data-service="shop" data-endpoint="/spandrel" ${attributes}></script>
</head>
<body><h1></h1><button id="buy">Buy</button><a id="next" href="?view=2">Next</a>
<script>document.querySelector('#next').href = '?view=' + (Number(new URLSearchParams(location.search).get('view') ?? 1) + 1);</script>
<script type="module" src="/app.js"></script></body>
</html>`;

const pause = (millis = PAUSE_MILLIS) => new Promise((resolve) => setTimeout(resolve, millis));

/** @param {import('playwright').Page} page @param {string} url */
async function visit(page, url) {
  await page.goto(url);
  for (let view = 1; view <= VIEWS; view++) {
    await pause();
    await page.click('#buy');
    await pause();
    if (view < VIEWS) await page.click('#next');
  }
  await page.goto('about:blank');
  await pause();
}

/**
 * @param {import('playwright').Browser} browser
 * @param {Kind} kind
 * @param {string} attributes Of the script tag.
 * @returns {Promise<import('./cost-model.mjs').Visit>}
 */
export async function measureVisit(browser, kind, attributes) {
  const host = await startHost();
  const context = await browser.newContext();
  try {
    host.page('/', html(kind, attributes));
    host.page('/app.js', APP, { type: 'text/javascript' });
    for (let id = 0; id < 10; id++)
      host.page(`/items/${id}`, JSON.stringify({ id, text: 'x'.repeat(500) }), { type: 'application/json' });
    const page = await context.newPage();
    for (let done = 0; done < VISITS; done++) await visit(page, `${host.origin}/`);
    await pause(AFTERMATH_MILLIS);
    return await counted(host.mock);
  } finally {
    await context.close();
    await host.close();
  }
}

/** @param {import('../../demo/mock-r2/mock-r2.mjs').MockR2} mock @returns {Promise<import('./cost-model.mjs').Visit>} */
async function counted({ requests, bucket }) {
  const objects = await bucket.list();
  let spans = 0;
  const traces = new Set();
  for (const { key } of objects) {
    const { resourceSpans } = JSON.parse(gunzipSync((await bucket.get(key)) ?? new Uint8Array()).toString());
    for (const { scopeSpans } of resourceSpans)
      for (const scope of scopeSpans)
        for (const { traceId } of scope.spans) {
          spans++;
          traces.add(traceId);
        }
  }
  /** @param {import('../../demo/mock-r2/faults.mjs').Target} target @param {string} method @param {boolean} [relay] */
  const count = (target, method, relay) =>
    requests
      .list(target)
      .filter(
        (one) => one.method === method && (relay === undefined || one.queryNames.includes('relay') === relay),
      ).length / VISITS;
  return {
    views: VIEWS,
    traces: traces.size / VISITS,
    spans: spans / VISITS,
    objects: objects.length / VISITS,
    bytes: objects.reduce((sum, { size }) => sum + size, 0) / VISITS,
    exchanges: count('endpoint', 'POST', false),
    relays: count('endpoint', 'POST', true),
    preflights: count('bucket', 'OPTIONS'),
    heads: count('store', 'HEAD'),
  };
}
