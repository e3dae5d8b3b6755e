// The endpoint for the traces of your pages, as a Worker. What is in public/ is served without asking it.
import { createIngest, s3 } from 'spandrel/server';

/** @type {ReturnType<typeof createIngest> | undefined} Kept for the requests after the first. */
let ingest;

export default {
  /**
   * @param {Request} request
   * @param {Record<string, string>} env What wrangler.toml, .env and `wrangler secret put` say.
   */
  async fetch(request, env) {
    if (new URL(request.url).pathname !== '/spandrel') return new Response('Not found', { status: 404 });
    ingest ??= createIngest({
      storage: s3({
        endpoint: env.SPANDREL_S3_ENDPOINT,
        bucket: env.SPANDREL_BUCKET,
        region: env.AWS_REGION,
        accessKeyId: env.AWS_ACCESS_KEY_ID,
        secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
      }),
      // Pages of the Worker's own origin may always.
      allowedOrigins: (env.SPANDREL_ORIGINS ?? '').split(',').filter(Boolean),
    });
    return ingest(request);
  },
};
