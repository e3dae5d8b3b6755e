import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Log, LogLevel, Miniflare } from 'miniflare';

/**
 * What the ingest Worker is given.
 *
 * @typedef {object} IngestEnv
 * @property {string} MOUNT_PATH
 * @property {Record<string, unknown> & { storage: Record<string, unknown>, config?: unknown }} SETTINGS
 *   Options of `createIngest` that are JSON, with those of `s3` under `storage`.
 * @property {{ fetch: typeof fetch }} REPORT Takes `POST /stored`, `/page`, `/lost` and `/error` with the
 *   JSON of {@link Report}.
 *
 * @typedef {object} Report What a hook was told.
 * @property {unknown} detail
 * @property {import('../../src/server.js').IngestContext} [context] Absent for errors.
 *
 * @typedef {object} S3Credentials
 * @property {string} bucket
 * @property {string} accessKeyId
 * @property {string} secretAccessKey
 */

/** Where Miniflare serves the S3 API. The path is part of what is signed, so browsers see it as well. */
export const S3_PATH = '/cdn-cgi/local/r2/s3';

const COMPATIBILITY_DATE = '2026-04-01';

/** @param {string} name @param {URL | string} file */
const module = async (name, file) => ({
  type: /** @type {const} */ ('ESModule'),
  path: name,
  contents: await readFile(file, 'utf8'),
});

/** @param {string} name */
const here = (name) => new URL(name, import.meta.url);

/**
 * Starts Cloudflare's local R2 with the ingest Worker beside it. Takes about 0.4 s.
 *
 * @param {object} options
 * @param {S3Credentials} options.credentials
 * @param {string | URL} options.serverFile The built `spandrel/server`.
 * @param {Omit<IngestEnv, 'REPORT'>} options.env
 * @param {(kind: string, report: Report) => void} options.onReport
 * @returns {Promise<{ origin: URL, librarian: import('./bucket.mjs').Librarian, dispose: () => Promise<void> }>}
 */
export async function startMiniflare({ credentials, serverFile, env, onReport }) {
  const { bucket, ...s3Credentials } = credentials;
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    // Else it asks the network for a sample of `request.cf`, and keeps it in a folder beside node_modules.
    cf: false,
    log: new Log(LogLevel.ERROR),
    workers: [
      {
        name: 'ingest',
        compatibilityDate: COMPATIBILITY_DATE,
        modules: [
          await module('ingest-worker.mjs', here('ingest-worker.mjs')),
          // workerd resolves a bare name against the folder of the module that asks.
          await module('spandrel/server', serverFile),
          await module('spandrel/aws4fetch', fileURLToPath(import.meta.resolve('aws4fetch'))),
        ],
        bindings: { MOUNT_PATH: env.MOUNT_PATH, SETTINGS: env.SETTINGS },
        serviceBindings: {
          /** @param {Pick<Request, 'url' | 'json'>} request */
          async REPORT(request) {
            const report = /** @type {Report} */ (await request.json());
            onReport(new URL(request.url).pathname.slice(1), report);
            return new Response();
          },
        },
      },
      {
        name: 'librarian',
        compatibilityDate: COMPATIBILITY_DATE,
        modules: [await module('librarian-worker.mjs', here('librarian-worker.mjs'))],
        r2Buckets: { BUCKET: { id: bucket, s3Credentials } },
      },
    ],
  });
  try {
    const origin = await miniflare.ready;
    const librarian = /** @type {any} */ (await miniflare.getWorker('librarian'));
    return { origin, librarian, dispose: () => miniflare.dispose() };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}
