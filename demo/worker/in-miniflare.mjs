import { COMPATIBILITY_DATE } from '../mock-r2/start-miniflare.mjs';
import { bundleWorker } from './bundle.mjs';

/**
 * The Worker with all that it is bound to, for Miniflare: what wrangler's configuration and `wrangler secret put` would
 * say.
 *
 * @param {object} site
 * @param {(request: { url: string }) => Promise<Response>} site.assets The shop's pages.
 * @param {string} site.warehouseUrl
 * @returns {(context: import('../mock-r2/ingest-entry.mjs').EntryContext) => Promise<import('miniflare').WorkerOptions>}
 */
export const workerInMiniflare =
  ({ assets, warehouseUrl }) =>
  async ({ r2, settings: { secret, storage } }) => ({
    name: 'shop',
    compatibilityDate: COMPATIBILITY_DATE,
    // AsyncLocalStorage, by which spans find their parents across awaits.
    compatibilityFlags: ['nodejs_als'],
    modules: [
      {
        type: 'ESModule',
        path: 'worker.mjs',
        contents: await bundleWorker(new URL('worker.mjs', import.meta.url)),
      },
    ],
    r2Buckets: { TRACES: r2 },
    serviceBindings: { ASSETS: /** @type {any} */ (assets) },
    bindings: {
      WAREHOUSE_URL: warehouseUrl,
      R2_ENDPOINT: storage['endpoint'],
      R2_PUBLIC_ENDPOINT: storage['publicEndpoint'],
      R2_BUCKET: storage['bucket'],
      R2_ACCESS_KEY_ID: storage['accessKeyId'],
      R2_SECRET_ACCESS_KEY: storage['secretAccessKey'],
      SPANDREL_SECRET: secret,
    },
  });
