import { readFile } from 'node:fs/promises';
import { Log, LogLevel, Miniflare } from 'miniflare';

/**
 * @typedef {object} S3Credentials
 * @property {string} accessKeyId
 * @property {string} secretAccessKey
 *
 * @typedef {import('miniflare').WorkerOptions} WorkerOptions
 */

/** Where Miniflare serves the S3 API. The path is part of what is signed, so browsers see it as well. */
export const S3_PATH = '/cdn-cgi/local/r2/s3';

export const COMPATIBILITY_DATE = '2026-04-01';

/**
 * A file as a module of a Worker.
 *
 * @param {string} name What imports name it.
 * @param {URL | string} file
 */
const moduleFrom = async (name, file) => ({
  type: /** @type {const} */ ('ESModule'),
  path: name,
  contents: await readFile(file, 'utf8'),
});

/**
 * Starts Cloudflare's local R2 with the Worker of the endpoint beside it. Takes about 0.4 s.
 *
 * @param {object} options
 * @param {WorkerOptions} options.entry Answers what is no S3 request.
 * @param {{ id: string, s3Credentials: S3Credentials }} options.r2 The bucket.
 * @param {string} [options.eventQueue] Queue that the librarian tells of objects. Default none.
 * @returns {Promise<{ origin: URL, librarian: import('./bucket.mjs').Librarian, dispose: () => Promise<void> }>}
 */
export async function startMiniflare({ entry, r2, eventQueue }) {
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    // Else it asks the network for a sample of `request.cf`, and keeps it in a folder beside node_modules.
    cf: false,
    log: new Log(LogLevel.ERROR),
    workers: [
      entry,
      {
        name: 'librarian',
        compatibilityDate: COMPATIBILITY_DATE,
        modules: [await moduleFrom('librarian-worker.mjs', new URL('librarian-worker.mjs', import.meta.url))],
        r2Buckets: { BUCKET: r2 },
        ...(eventQueue !== undefined && { queueProducers: { EVENTS: eventQueue } }),
        bindings: { BUCKET_NAME: r2.id },
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
