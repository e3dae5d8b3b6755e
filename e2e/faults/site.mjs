import { startHost } from '../../demo/host.mjs';
import { makeCertificate } from '../../demo/testing/certificate.mjs';
import { NO_PARTS } from '../support/parts.mjs';

/**
 * @typedef {object} PageParts How the page under test is made.
 * @property {string} [head] Scripts before any of ours.
 * @property {Record<string, unknown>} [options] Of `start`, over those of {@link OPTIONS}.
 * @property {string} [body]
 * @property {string[]} [scripts] The script tag's file, once per copy of the SDK.
 *
 * @typedef {Awaited<ReturnType<typeof startSite>>} Site
 */

/** Only the spans that a case emits; all else as users have it. */
const OPTIONS = { service: 'faults', endpoint: '/spandrel', ...NO_PARTS };
const SCRIPT = '/dist/script.js';
const SECOND_SCRIPT = '/copy/script.js';

const kebab = (/** @type {string} */ name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** @param {string} head @param {boolean} isRemote @param {string} [body] */
const frame = (head, isRemote, body = '') => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">
${isRemote ? '<script src="/e2e/remote.js"></script>' : ''}
${head}
</head>
<body>A page.${body}</body>
</html>`;

/** @param {PageParts} parts */
function tags({ head = '', options = {}, scripts = [SCRIPT] }) {
  const all = { ...OPTIONS, ...options };
  const attributes = Object.entries(all).map(([name, value]) => `data-${kebab(name)}="${value}"`);
  // A second tag with attributes would leave the page to the first.
  const copies = scripts.map((file, index) =>
    index === 0
      ? `<script src="${file}" ${attributes.join(' ')}></script>
<script>globalThis.copies = [spandrel.instance];</script>`
      : `<script src="${file}"></script>
<script>copies.push(spandrel.start(${JSON.stringify(all)}));</script>`,
  );
  return [head, ...copies, '<script src="/e2e/emit.js"></script>'].join('\n');
}

/** @type {Promise<import('../../demo/mock-r2/listen.mjs').Tls> | undefined} */
let certificate;

/**
 * A site of one run's own, with its endpoint and its bucket: `/shop` is the page under test, `/away` one without
 * Spandrel.
 *
 * @param {{ isTls: boolean }} options
 */
export async function startSite({ isTls }) {
  if (isTls) certificate ??= makeCertificate();
  const tls = isTls ? await certificate : undefined;
  const host = await startHost({
    ...(tls && { tls }),
    folders: { '/e2e/': new URL('../pages/', import.meta.url) },
    files: {
      [SECOND_SCRIPT]: new URL('../../dist/script.js', import.meta.url),
      '/copy/late.js': new URL('../../dist/late.js', import.meta.url),
    },
  });
  /** @type {PageParts} */
  let parts = {};
  /** @param {string} path @param {() => string} head @param {() => string | undefined} [body] */
  const serve = (path, head, body) =>
    host.route(path, (req, res) => {
      const isRemote = req.url?.includes('remote=') ?? false;
      res.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
      res.end(frame(head(), isRemote, body?.()));
    });
  let ownBeacons = 0;
  host.route('/own', (req, res) => {
    req.resume().once('end', () => {
      ownBeacons++;
      res.writeHead(204).end();
    });
  });
  return {
    mock: host.mock,
    /** How many beacons of the page itself have come. */
    ownBeacons: () => ownBeacons,
    origin: host.origin,
    tls,
    shopUrl: serve(
      '/shop',
      () => tags(parts),
      () => parts.body,
    ),
    awayUrl: serve('/away', () => ''),
    /** Both files of a page with two copies. */
    bothScripts: [SCRIPT, SECOND_SCRIPT],
    /** How `/shop` is from now on. @param {PageParts} changed */
    setPage(changed) {
      parts = { ...parts, ...changed };
    },
    close: host.close,
  };
}
