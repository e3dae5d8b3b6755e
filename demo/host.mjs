import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createOverview } from '../dist/overview.js';
import { nodeListener } from '../dist/server.js';
import { listen } from './mock-r2/listen.mjs';
import { startMockR2 } from './mock-r2/mock-r2.mjs';
import { bundleOwnApp } from './own/bundle.mjs';
import { sendJson } from './send-json.mjs';
import { createShopApi } from './shop-api.mjs';
import { fileResponse, findFile, sendFile } from './static-files.mjs';
import { createViewerApi } from './viewer-api.mjs';
import { startWarehouse } from './warehouse.mjs';
import { workerInMiniflare } from './worker/in-miniflare.mjs';

/**
 * @typedef {import('node:http').RequestListener} RequestListener
 *
 * @typedef {object} HostOptions
 * @property {number} [port] Default 0, a free one.
 * @property {import('./mock-r2/listen.mjs').Tls} [tls] This host and the doors of the mock speak HTTPS and HTTP/2. Default plain HTTP.
 * @property {boolean} [worker] The Worker of `worker/` answers for the shop's pages, its API and the endpoint. Default
 *   false: they come from here and from a Worker that is the endpoint only, and nobody traces them.
 * @property {string} [otlpUrl] Backend that the Worker sends on to. Default none.
 * @property {Partial<import('./mock-r2/mock-r2.mjs').MockR2Options>} [mock] `allowedOrigins` come on top of this
 *   host's own.
 * @property {Record<string, URL>} [folders] Folders to serve, by path with slashes around it, beside and over the defaults.
 * @property {Record<string, URL>} [files] Single files to serve, by path, likewise. Nothing else of
 *   node_modules can be reached.
 * @property {() => Promise<unknown>} [loadDuckDb] Where the overview has DuckDB from.
 *   Default: node_modules, where it is only if somebody installed it.
 * @property {(mock: import('./mock-r2/mock-r2.mjs').MockR2) => string} [csp] Content-Security-Policy of HTML.
 * @property {Record<string, string>} [headers] On every static answer and page.
 *
 * @typedef {object} PageOptions
 * @property {Record<string, string>} [headers] Over all others.
 * @property {string} [type] Default HTML.
 * @property {number} [status] Default 200.
 *
 * @typedef {Awaited<ReturnType<typeof startHost>>} Host
 */

/** The shop's own routes: its script takes them from the address. */
const SHOP_PAGE = /^\/$|^\/shop\/[^.]*$/;

/** What one types for its front door. */
const SHOP_FRONT = /^\/shop\/?$/;

const HTML = 'text/html; charset=utf-8';

/** @param {string} path */
const here = (path) => new URL(path, import.meta.url);

const FOLDERS = {
  '/dist/': here('../dist/'),
  '/own/': here('own/'),
  '/shop/': here('shop/'),
  '/viewer/': here('viewer/'),
};
const FILES = () => ({
  '/': here('shop/index.html'),
  '/style.css': here('style.css'),
  '/icon.svg': here('icon.svg'),
  '/vendor/preact.js': new URL(import.meta.resolve('htm/preact/standalone')),
  '/vendor/uplot.js': new URL(import.meta.resolve('uplot/dist/uPlot.esm.js')),
  '/vendor/uplot.css': new URL(import.meta.resolve('uplot/dist/uPlot.min.css')),
});

/** @param {Parameters<RequestListener>[1]} res @param {string} location */
const redirect = (res, location) => void res.writeHead(302, { location }).end();

/** A page on the net can point a name of its own at 127.0.0.1; it must not get at the control API that way. */
const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost|([a-z0-9-]+\.)+localhost|\[::1\])(:\d+)?$/;

/**
 * Documents are revalidated and not forbidden to be kept: `no-store` on a document keeps it out of the bfcache of
 * some browsers, and that is a thing the tests look at. All else is `no-store`.
 *
 * @param {string} type
 */
const cacheControl = (type) => (type === HTML ? 'no-cache' : 'no-store');

/**
 * Starts the demo on one loopback origin: its pages, the shop's API, the viewer's API, the built files, the
 * endpoint (same-origin, with the faults of target `endpoint`), `/control` over the faults, and pages of one's own.
 * The bucket, and the endpoint again, are on origins of their own: see the `mock` in the result.
 *
 * @param {HostOptions} [options]
 * @throws {Error} when `dist/` has not been built, or the port is taken.
 */
export async function startHost({
  port,
  tls,
  worker = false,
  otlpUrl,
  mock: mockOptions = {},
  folders = {},
  files = {},
  loadDuckDb,
  csp,
  headers = {},
} = {}) {
  const allFolders = { ...FOLDERS, ...folders };
  const allFiles = { ...FILES(), ...files };
  /** @type {Map<string, RequestListener>} */
  const routes = new Map();
  /** @type {(type: string) => Record<string, string>} Replaced below, once the policy can be told. */
  let headersFor = () => ({});
  /** @type {[prefix: string, listener: (...args: Parameters<RequestListener>) => unknown][]} */
  const mounts = [];
  /** @type {((...args: Parameters<RequestListener>) => unknown) | undefined} Who answers for them, if not we. */
  let sendShopPage;
  const findShopPage = () => findFile('/', {}, allFiles);

  /** @param {Parameters<RequestListener>[0]} req @param {Parameters<RequestListener>[1]} res */
  async function answer(req, res) {
    if (!LOOPBACK_HOST.test(req.headers.host ?? '')) return sendJson(res, 403, { error: 'Loopback only.' });
    const { pathname, search } = new URL(req.url ?? '/', 'http://host');
    const listener =
      routes.get(pathname) ??
      mounts.find(([prefix]) =>
        prefix.endsWith('/') ? pathname.startsWith(prefix) : pathname === prefix,
      )?.[1];
    if (listener) return listener(req, res);
    if (req.method !== 'GET' && req.method !== 'HEAD') return sendJson(res, 405, { error: 'GET only.' });
    if (SHOP_FRONT.test(pathname)) return redirect(res, `/${search}`);
    const isShopPage = SHOP_PAGE.test(pathname);
    if (isShopPage && sendShopPage) return sendShopPage(req, res);
    const file =
      (await findFile(pathname, allFolders, allFiles)) ?? (isShopPage ? await findShopPage() : undefined);
    if (file) return sendFile(file, req, res, headersFor);
    if (await findFile(`${pathname}/`, allFolders, {})) return redirect(res, `${pathname}/${search}`);
    // Somebody who mistypes an address gets a page; a script that asks for what is not there, no HTML.
    const lost = req.headers.accept?.includes('text/html') ? await findShopPage() : undefined;
    if (lost) return sendFile(lost, req, res, headersFor, 404);
    sendJson(res, 404, { error: 'Not found.' });
  }

  const listening = await listen(
    (req, res) => {
      answer(req, res).catch(() =>
        res.headersSent ? res.destroy() : sendJson(res, 500, { error: 'Failed.' }),
      );
    },
    port,
    tls,
  );
  /** @type {{ close: () => Promise<void> }[]} */
  const parts = [listening];
  const close = async () => {
    await Promise.all(parts.map((part) => part.close()));
  };
  try {
    const { origin } = listening;
    const localhost = origin.replace('127.0.0.1', 'localhost');
    const warehouse = await startWarehouse();
    const otlpKey = randomBytes(24).toString('base64url');
    parts.push(warehouse);
    const assets = async () => fileResponse(await findShopPage(), headersFor);
    const mock = await startMockR2({
      ...(tls && { tls }),
      ...(worker && {
        worker: workerInMiniflare({
          ...{ assets, warehouseUrl: warehouse.url, otlpKey },
          ...(otlpUrl && { otlpUrl }),
        }),
      }),
      ...mockOptions,
      allowedOrigins: [origin, localhost, ...(mockOptions.allowedOrigins ?? [])],
    });
    parts.push(mock);
    if (worker) {
      sendShopPage = mock.worker;
      mounts.push([`${mock.mountPath}/v1/`, mock.worker]);
      warehouse.traceTo({ url: origin + mock.mountPath, key: otlpKey });
    }
    const overview = createOverview({
      source: {
        name: 'the mock',
        list: () => mock.bucket.list(),
        get: (/** @type {string} */ key) => mock.bucket.get(key),
      },
      questions: fileURLToPath(here('../dist/questions/')),
      loadDuckDb,
    });
    mounts.push(
      ['/api/', worker ? mock.worker : nodeListener(createShopApi({ warehouseUrl: warehouse.url }))],
      [mock.mountPath, mock.endpoint],
      ['/control/', mock.control],
      ['/viewer/api/', createViewerApi(mock, overview)],
    );
    parts.push(overview);
    const policy = csp?.(mock);
    headersFor = (type) => ({
      'cache-control': cacheControl(type),
      'x-content-type-options': 'nosniff',
      ...(policy !== undefined && type === HTML && { 'content-security-policy': policy }),
      ...headers,
    });

    /** @param {string} path @param {RequestListener} listener */
    const route = (path, listener) => {
      routes.set(path, listener);
      return origin + path;
    };
    route('/own/app.js', async (_req, res) => {
      const type = 'text/javascript; charset=utf-8';
      const code = await bundleOwnApp();
      res.writeHead(200, { 'content-type': type, ...headersFor(type) }).end(code);
    });
    return {
      origin,
      mock,
      /** Answers `path` with a listener; returns its URL. A later one for the same path replaces it. */
      route,
      /**
       * Answers `path` with a text; returns its URL.
       *
       * @param {string} path
       * @param {string} body
       * @param {PageOptions} [options]
       */
      page: (path, body, { headers = {}, type = HTML, status = 200 } = {}) =>
        route(path, (_req, res) => {
          res.writeHead(status, { 'content-type': type, ...headersFor(type), ...headers }).end(body);
        }),
      /** `traceparent` headers that the service behind the shop's API was given, oldest first. */
      warehouseHeard: () => warehouse.heard,
      /** Ends everything, workerd included. May be called twice. */
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
