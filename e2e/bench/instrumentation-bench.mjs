// Whether OpenTelemetry's instrumentations of fetch and XMLHttpRequest keep what we promise the page, beside ours:
// bodies that flow and can be cancelled, memory, spans that end in time, requests of ours left out, size.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { bundle } from '../support/sizes.mjs';
import { withChromium } from './in-chromium.mjs';

const MEGABYTES = 200;
const MB = 1024 * 1024;
const VARIANTS = { ours: 'ours', theirs: 'OpenTelemetry’s', none: 'none' };

/** Streams `/flow/{name}` as fast as it is taken, and knows of each how much that was; `/trickle` takes 1 s. */
async function startServer() {
  const flows = new Map();
  const chunk = Buffer.alloc(256 * 1024);
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', '*');
    const [, kind, name] = request.url.split('/');
    if (kind === 'trickle') {
      response.write('the first');
      setTimeout(() => response.end('the last'), 1_000);
    } else if (kind === 'flow') {
      const flow = { sent: 0, isOver: false };
      flows.set(name, flow);
      const more = () => {
        while (flow.sent < MEGABYTES * MB && !response.destroyed) {
          flow.sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
        response.end();
      };
      response.on('close', () => {
        flow.isOver = true;
      });
      more();
    } else response.writeHead(404).end();
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  return {
    flows,
    server,
    origin: `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`,
  };
}

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/** Resolves when `value` has not changed for 700 ms. */
async function still(value) {
  for (let last = -1; last !== value(); await sleep(700)) last = value();
}

/** Memory of all renderers, in bytes, as Linux counts it. */
async function residentBytes(session) {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const pages = processInfo.filter(({ type }) => type === 'renderer');
  const kilobytes = pages.map(({ id }) => {
    try {
      return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0);
    } catch {
      return 0;
    }
  });
  return kilobytes.reduce((sum, each) => sum + each, 0) * 1_024;
}

async function measure(open, { origin, flows }, variant) {
  const page = await open();
  const call = (name, ...args) =>
    page.evaluate(async ([name, args]) => (await import('/bench.js'))[name](...args), [name, args]);
  const session = await page.context().browser().newBrowserCDPSession();
  try {
    await call('prepare', variant);
    const before = await residentBytes(session);
    await call('hold', `${origin}/flow/${variant}-held`);
    const held = flows.get(`${variant}-held`);
    await still(() => held.sent);
    const unread = held.sent;
    const memory = (await residentBytes(session)) - before;
    await call('cancel');
    const read = await call('download', `${origin}/flow/${variant}-read`);

    await call('hold', `${origin}/flow/${variant}-cancelled`);
    await call('cancel');
    const cancelled = flows.get(`${variant}-cancelled`);
    await still(() => cancelled.sent);
    const waits = variant !== 'none' && {
      'fetch span ends, ms after headers': await call('waitForSpan', 'fetch', `${origin}/trickle`),
      'xhr span ends, ms after load': await call('waitForSpan', 'xhr', `${origin}/trickle`),
    };
    return {
      'read, ms': read,
      'MB taken while the page reads none': unread / MB,
      'MB of memory meanwhile': memory / MB,
      'MB taken though cancelled': cancelled.sent / MB,
      ...waits,
    };
  } finally {
    await page.context().close();
  }
}

/** Where ours is nothing there is no ratio. */
const ratioOf = (theirs, ours) =>
  Object.fromEntries(
    Object.entries(theirs).flatMap(([key, value]) => (ours[key] > 0 ? [[key, value / ours[key]]] : [])),
  );

async function sizes() {
  // The SDK brings both along.
  const isThere = (id) => /^@opentelemetry\/(api|core)$/.test(id);
  const weigh = async (code) => brotliCompressSync(await bundle(code, isThere)).length;
  const ours = (name, file) =>
    weigh(
      `export { ${name} } from ${JSON.stringify(fileURLToPath(new URL(`../../.cache/esm/spa/${file}.js`, import.meta.url)))};`,
    );
  const theirs = (name, module) =>
    weigh(`export { ${name} } from '@opentelemetry/instrumentation-${module}';`);
  const rows = [
    {
      instrumentation: 'fetch',
      ours: await ours('traceFetch', 'fetch'),
      theirs: await theirs('FetchInstrumentation', 'fetch'),
    },
    {
      instrumentation: 'XMLHttpRequest',
      ours: await ours('traceXhr', 'xhr'),
      theirs: await theirs('XMLHttpRequestInstrumentation', 'xml-http-request'),
    },
  ];
  return rows.map((row) => ({ ...row, 'theirs to ours': row.theirs / row.ours }));
}

export async function bench() {
  const file = fileURLToPath(new URL('instrumentation-measure.mjs', import.meta.url));
  const site = await startServer();
  try {
    return await withChromium(file, async ({ name, open }) => {
      const results = {};
      for (const variant of Object.keys(VARIANTS)) results[variant] = await measure(open, site, variant);
      const rows = Object.entries(results).map(([variant, result]) => ({
        instrumentation: VARIANTS[variant],
        ...result,
      }));
      rows.push({ instrumentation: 'ratio, theirs to ours', ...ratioOf(results.theirs, results.ours) });
      const beside = [];
      for (const order of ['before', 'after']) {
        const page = await open();
        const counts = await page.evaluate(
          async ([order, endpoint]) => (await import('/bench.js')).sendBeside(order, endpoint),
          [order, `${site.origin}/endpoint`],
        );
        beside.push({ 'their instrumentation began': `${order} ours`, ...counts });
        await page.context().close();
      }
      return {
        [`a stream of ${MEGABYTES} MB, and spans' ends, ${name}`]: rows,
        [`requests of ours that their instrumentation traces, ${name}`]: beside,
        'bytes after Brotli, without @opentelemetry/api and core': await sizes(),
      };
    });
  } finally {
    site.server.closeAllConnections();
    site.server.close();
  }
}
