import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { listen } from '../../demo/mock-r2/listen.mjs';
import { NO_PARTS } from '../support/parts.mjs';
import { createBucket } from './bucket.mjs';
import { createIngest, nodeListener, s3 } from './built.mjs';
import { corsFor } from './cors-settings.mjs';
import { startLoggingProxy } from './logging-proxy.mjs';

const OPTIONS = { service: 'shop', endpoint: '/spandrel', scheduledDelayMillis: 0, ...NO_PARTS };
const kebab = (/** @type {string} */ name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const attributes = Object.entries(OPTIONS).map(([name, value]) => `data-${kebab(name)}="${value}"`);

/** @param {string} script */
const pageOf = (script) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">${script}`;
/** What a test does in `pagehide`, before Spandrel does what it does there. */
const AT_LAST = `<script>addEventListener('pagehide', () => globalThis.atLast?.(), true)</script>`;
const SHOP = pageOf(`${AT_LAST}<script src="/dist/script.js" ${attributes.join(' ')}></script>`);

/**
 * A site with its endpoint, and a bucket of its own in a real store: as a user would set it up in Node.
 *
 * @param {import('./radosgw.mjs').Radosgw} radosgw
 * @param {{ bucket: string, uploads: 'put' | 'post', maxUploadBytes: number }} settings
 */
export async function startShop(radosgw, { bucket: name, uploads, maxUploadBytes }) {
  const bucket = await createBucket(radosgw, name);
  const proxy = await startLoggingProxy(radosgw.origin);
  const storage = s3({ ...bucket.options, publicEndpoint: proxy.origin, uploads });
  /** @type {string[]} */
  const asked = [];
  /** @type {import('node:http').RequestListener} */
  let endpoint = () => {};
  const site = await listen(async (req, res) => {
    const { pathname, search } = new URL(req.url ?? '/', 'http://shop');
    if (pathname === '/spandrel') {
      asked.push(search);
      return endpoint(req, res);
    }
    const isScript = pathname === '/dist/script.js' || pathname === '/dist/late.js';
    res.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    res.end(
      isScript
        ? await readFile(new URL(`../..${pathname}`, import.meta.url))
        : pathname === '/'
          ? SHOP
          : pageOf(''),
    );
  });
  await bucket.setCors(corsFor(site.origin));
  /** @type {unknown[]} */
  const errors = [];
  const ingest = createIngest({
    storage,
    secret: 'a secret of at least thirty-two characters',
    allowedOrigins: [site.origin],
    maxUploadBytes,
    onError: (error) => errors.push(error),
  });
  endpoint = nodeListener(ingest);
  return {
    url: `${site.origin}/`,
    origin: site.origin,
    bucket,
    awayUrl: `${site.origin}/away`,
    /** What browsers asked of the store, oldest first. */
    requests: proxy.requests,
    /** The query of each of these. */
    queries: proxy.queries,
    /** The query of each request to the endpoint. */
    asked,
    errors,
    /** The names of the spans of each object, as Node's zlib reads it. @returns {Promise<string[][]>} */
    async objects() {
      const { objects } = await storage.list('otlp/v1/');
      const all = await Promise.all(objects.map(({ key }) => storage.get(key)));
      return all.map((bytes = new Uint8Array()) => {
        const { resourceSpans } = JSON.parse(gunzipSync(bytes).toString());
        return resourceSpans.flatMap((/** @type {any} */ { scopeSpans }) =>
          scopeSpans.flatMap((/** @type {any} */ { spans }) =>
            spans.map((/** @type {any} */ span) => span.name),
          ),
        );
      });
    },
    async close() {
      await site.close();
      await proxy.close();
    },
  };
}
