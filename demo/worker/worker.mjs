// A Worker that serves a shop and holds the endpoint for the traces of its pages. It traces itself, too, into the
// same bucket: what the page begins and the Worker goes on with is one trace. In a project of your own the shop is
// your code, and the rest is as it stands here.
import { instrument, r2 } from 'spandrel/edge';
import { createIngest, s3 } from 'spandrel/server';
import { createShopApi } from '../shop-api.mjs';

/**
 * What in-miniflare.mjs binds here, and wrangler's configuration would.
 *
 * @typedef {object} Env
 * @property {any} TRACES The bucket, as an R2 binding.
 * @property {{ fetch: typeof fetch }} ASSETS The pages. Scripts and styles are served without asking the Worker.
 * @property {string} WAREHOUSE_URL
 * @property {string} R2_ENDPOINT The same bucket by its S3 API, which pages upload to.
 * @property {string} [R2_PUBLIC_ENDPOINT] Where pages reach it under another name, as they do here.
 * @property {string} R2_BUCKET
 * @property {string} R2_ACCESS_KEY_ID
 * @property {string} R2_SECRET_ACCESS_KEY
 * @property {string} SPANDREL_SECRET
 */

/** @type {((request: Request) => Promise<Response>) | undefined} Kept for the requests after the first. */
let api;
/** @type {((request: Request) => Promise<Response>) | undefined} */
let ingest;

const shop = instrument(
  {
    /** @param {Request} request @param {Env} env */
    fetch(request, env) {
      if (!new URL(request.url).pathname.startsWith('/api/')) return env.ASSETS.fetch(request);
      api ??= createShopApi({ warehouseUrl: env.WAREHOUSE_URL });
      return api(request);
    },
  },
  (env) => ({ service: 'shop-api', destination: r2(env.TRACES) }),
);

export default {
  /** @param {Request} request @param {Env} env @param {any} ctx */
  fetch(request, env, ctx) {
    // Beside the shop and not in it: a trace of how traces are stored, with each of them, is nothing to look at.
    if (new URL(request.url).pathname !== '/spandrel') return shop.fetch(request, env, ctx);
    ingest ??= createIngest({
      storage: s3({
        endpoint: env.R2_ENDPOINT,
        ...(env.R2_PUBLIC_ENDPOINT && { publicEndpoint: env.R2_PUBLIC_ENDPOINT }),
        bucket: env.R2_BUCKET,
        accessKeyId: env.R2_ACCESS_KEY_ID,
        secretAccessKey: env.R2_SECRET_ACCESS_KEY,
      }),
      secret: env.SPANDREL_SECRET,
      // The pages are of the Worker's own origin.
      allowedOrigins: [],
    });
    return ingest(request);
  },
};
