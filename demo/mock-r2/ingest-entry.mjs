import { bundleWorker } from '../worker/bundle.mjs';
import { COMPATIBILITY_DATE } from './start-miniflare.mjs';

/**
 * What a Worker that holds the endpoint is told.
 *
 * @typedef {object} EntryContext
 * @property {string} mountPath Path of the endpoint.
 * @property {Settings} settings
 * @property {{ id: string, s3Credentials: import('./start-miniflare.mjs').S3Credentials }} r2 For a binding to the bucket.
 * @property {(kind: string, report: Report) => void} onReport
 *
 * @typedef {Record<string, any> & { secret: string, allowedOrigins: string[], storage: import('../../src/server/s3-options.js').S3Options }} Settings
 *   Options of `createIngest` that are JSON, with those of `s3` under `storage`.
 *
 * @typedef {object} IngestEnv
 * @property {string} MOUNT_PATH
 * @property {Settings} SETTINGS
 * @property {{ fetch: typeof fetch }} REPORT Takes `POST /stored`, `/page`, `/lost` and `/error` with the
 *   JSON of {@link Report}.
 *
 * @typedef {object} Report What a hook was told.
 * @property {unknown} detail
 * @property {import('../../src/server.js').IngestContext} [context] Absent for errors.
 */

/** @type {Promise<string> | undefined} The same in every test of a file. */
let bundled;
const code = () => {
  bundled ??= bundleWorker(new URL('ingest-worker.mjs', import.meta.url));
  return bundled;
};

/**
 * The plain ingest, which reports what its hooks are told.
 *
 * @param {EntryContext} context
 * @returns {Promise<import('./start-miniflare.mjs').WorkerOptions>}
 */
export const ingestEntry = async ({ mountPath, settings, onReport }) => ({
  name: 'ingest',
  compatibilityDate: COMPATIBILITY_DATE,
  modules: [
    {
      type: 'ESModule',
      path: 'ingest-worker.mjs',
      contents: await code(),
    },
  ],
  bindings: { MOUNT_PATH: mountPath, SETTINGS: settings },
  serviceBindings: {
    /** @param {Pick<Request, 'url' | 'json'>} request */
    async REPORT(request) {
      const report = /** @type {Report} */ (await request.json());
      onReport(new URL(request.url).pathname.slice(1), report);
      return new Response();
    },
  },
});
