// A Worker that serves a shop, holds the endpoint for the traces of its pages, and sends what lands in the bucket on to
// a backend. It traces itself, too, into the same bucket: what the page begins and the Worker goes on with is one trace.
// In a project of your own the shop is your code, and the rest is as it stands here.
import { instrument, r2 } from 'spandrel/edge';
import { forwardConsumer } from 'spandrel/forward';
import { createIngest, durableObjectQuota, r2 as r2Storage, s3, workersRateLimit } from 'spandrel/server';
import { createShopApi } from '../shop-api.mjs';

export { QuotaObject } from 'spandrel/server';

/**
 * What wrangler.jsonc binds here.
 *
 * @typedef {object} Env
 * @property {any} TRACES The bucket, as an R2 binding.
 * @property {any} QUOTA A namespace of Durable Objects, which count exactly.
 * @property {any} LIMITER A rate limit, which takes off the peak.
 * @property {string} OTLP_URL The backend, such as `https://collector.example:4318`; empty for none.
 * @property {{ fetch: typeof fetch }} ASSETS The pages. Scripts and styles are served without asking the Worker.
 * @property {string} WAREHOUSE_URL
 * @property {string} R2_ENDPOINT The same bucket by its S3 API, which pages upload to.
 * @property {string} [R2_PUBLIC_ENDPOINT] Where pages reach it under another name, as they do here.
 * @property {string} R2_BUCKET
 * @property {string} R2_ACCESS_KEY_ID
 * @property {string} R2_SECRET_ACCESS_KEY
 * @property {string} SPANDREL_SECRET
 * @property {string} [OTLP_KEY] With which the shop's other services send their own spans and logs here.
 */

/** @type {((request: Request) => Promise<Response>) | undefined} Kept for the requests after the first. */
let api;
/** @type {((request: Request) => Promise<Response>) | undefined} */
let ingest;

/** R2 tells the queue of each object, and the queue this Worker. */
const forwarding = forwardConsumer((/** @type {Env} */ env) => ({
  storage: r2Storage(env.TRACES),
  to: { url: env.OTLP_URL },
  // For DuckDB, ClickHouse and the viewer. `delete` where the backend is all that reads.
  after: 'keep',
}));

const shop = instrument(
  {
    /** @param {Request} request @param {Env} env @param {any} _ctx */
    fetch(request, env, _ctx) {
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
    if (!/^\/spandrel(\/v1\/.*)?$/.test(new URL(request.url).pathname)) return shop.fetch(request, env, ctx);
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
      // `POST /spandrel/v1/traces` and `/v1/logs`: of the warehouse, which the API asks.
      ...(env.OTLP_KEY && { otlp: { keys: [env.OTLP_KEY] } }),
      rateLimit: workersRateLimit(env.LIMITER),
      quota: {
        store: durableObjectQuota(env.QUOTA),
        perPage: { objects: 500, bytes: 10_000_000 },
        perProject: { objects: 1_000_000, bytes: 5_000_000_000 },
      },
    });
    return ingest(request);
  },

  /** @param {import('spandrel/forward').QueueBatch} batch @param {Env} env */
  async queue(batch, env) {
    if (env.OTLP_URL) await forwarding.queue(batch, env);
  },
};
