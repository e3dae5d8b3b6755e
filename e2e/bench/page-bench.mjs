// What it costs a page to be traced: a small single-page app with three routes and thirty fetches, without anything,
// with our script file, with OpenTelemetry's starter, and with Sentry. In turns, so that a busy machine slows all.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { startHost } from '../../demo/host.mjs';
import { weigh } from '../support/sizes.mjs';
import { launchChromium } from './in-chromium.mjs';
import { readPeers } from './page-peers.mjs';

const ROUNDS = 5;
const ROUTES = ['/routes/1', '/routes/2', '/routes/3'];
/** Of the processor, as is usual for phones: what a fast machine does in no time makes no long task. */
const THROTTLING = 4;
/** From the last route on. Enough for everyone's batches, of which the longest wait 5 s. */
const AFTERMATH_MILLIS = 8_000;
const APP = new URL('page-app.mjs', import.meta.url);

/** A link is where the mouse clicks, so its place is fixed. */
const html = ({ attributes }, index) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><title>bench</title><link rel="icon" href="data:,">
<style>nav a { position: absolute; top: 0; width: 90px; height: 30px } main { margin-top: 40px }</style>
${attributes || index > 0 ? `<script src="/peer-${index}.js" ${attributes}></script>` : ''}
</head>
<body>
<nav>${ROUTES.map((route, at) => `<a href="${route}" style="left:${at * 100}px">${route}</a>`).join('')}</nav>
<main></main>
<script type="module" src="/app.js"></script>
</body>
</html>`;

export async function bench() {
  const peers = await readPeers();
  const browser = await launchChromium();
  const host = await startHost();
  try {
    const sent = serve(host, peers, await readFile(APP, 'utf8'));
    const samples = peers.map(() => []);
    for (let round = 0; round < ROUNDS; round++) {
      for (const index of turns(peers.length, round)) {
        const before = await sent(peers[index]);
        samples[index].push(await measure(browser, `${host.origin}/page-${index}`));
        if (peers[index].code && (await sent(peers[index])) === before)
          throw new Error(`${peers[index].name} sent nothing`);
      }
    }
    const title = `30 fetches and 3 routes, Chromium ${browser.version().split('.')[0]}, processor at 1/${THROTTLING}`;
    return { [title]: rowsOf(peers, samples) };
  } finally {
    await browser.close();
    await host.close();
  }
}

/** Each round begins with another, so that nobody always comes after the same neighbour. */
const turns = (count, round) => Array.from({ length: count }, (_, index) => (index + round) % count);

/** @returns {(peer: import('./page-peers.mjs').Peer) => unknown} how many requests, or objects, with spans have come. */
function serve(host, peers, app) {
  const counts = {};
  const rows = Array.from({ length: 60 }, (_, index) => `item ${index} of many`);
  for (const [index, peer] of peers.entries()) {
    host.page(`/page-${index}`, html(peer, index));
    host.page(`/peer-${index}.js`, peer.code, { type: 'text/javascript' });
  }
  host.page('/app.js', app, { type: 'text/javascript' });
  host.page('/late.js', readFileSync(new URL('../../dist/late.js', import.meta.url), 'utf8'), {
    type: 'text/javascript',
  });
  for (let id = 0; id < 10; id++)
    host.page(`/items/${id}`, JSON.stringify({ id, rows }), { type: 'application/json' });
  for (const path of peers.flatMap(({ sendsTo = [] }) => sendsTo)) {
    counts[path] = 0;
    host.route(path, (request, response) => {
      counts[path]++;
      request.resume().once('end', () => response.writeHead(200).end('{}'));
    });
  }
  return async ({ sendsTo }) => (sendsTo ? counts[sendsTo] : (await host.mock.bucket.list()).length);
}

/** One visit: milliseconds of the main thread, and what of its long tasks is over 50 ms. */
async function measure(browser, url) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: THROTTLING });
    // The thread's own time: what others do on this machine is not the page's.
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
    await page.addInitScript(() => {
      globalThis.blockingMillis = 0;
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) globalThis.blockingMillis += duration - 50;
      }).observe({ type: 'longtask', buffered: true });
    });
    const said = (text) => page.waitForEvent('console', (message) => message.text() === text);
    const ready = said('ready');
    await page.goto(url);
    await ready;
    for (const [index, route] of ROUTES.entries()) {
      const shown = said(`shown ${route}`);
      await page.mouse.click(index * 100 + 45, 15);
      await shown;
    }
    await new Promise((resolve) => setTimeout(resolve, AFTERMATH_MILLIS));
    const { metrics } = await cdp.send('Performance.getMetrics');
    const seconds = (name) => metrics.find((metric) => metric.name === name).value;
    return {
      script: seconds('ScriptDuration') * 1_000,
      tasks: seconds('TaskDuration') * 1_000,
      blocking: await page.evaluate(() => globalThis.blockingMillis),
    };
  } finally {
    await context.close();
  }
}

function rowsOf(peers, samples) {
  const median = (index, part) =>
    samples[index].map((sample) => sample[part]).sort((a, b) => a - b)[ROUNDS >> 1];
  return peers.map(({ name, code }, index) => {
    const more = (part, at = index) => median(at, part) - median(0, part);
    const { minified, brotli } = weigh(code);
    return {
      page: name,
      'script ms': median(index, 'script'),
      'main thread ms': median(index, 'tasks'),
      'blocking ms': median(index, 'blocking'),
      'times the page without, script': median(index, 'script') / median(0, 'script'),
      'times the page without, main thread': median(index, 'tasks') / median(0, 'tasks'),
      'times what Spandrel adds, main thread': index ? more('tasks') / more('tasks', 1) : 0,
      'minified B': minified,
      'Brotli B': code ? brotli : 0,
    };
  });
}
