// The endpoint as a user would deploy it, run by Miniflare; `spandrel/server` is the built file.
import { createIngest, s3 } from 'spandrel/server';

/** @param {import('./ingest-entry.mjs').IngestEnv} env */
function createFromEnv({ SETTINGS: { storage, config, ...options }, REPORT }) {
  const report =
    (/** @type {string} */ kind) => (/** @type {unknown} */ detail, /** @type {unknown} */ context) =>
      REPORT.fetch(`http://report/${kind}`, { method: 'POST', body: JSON.stringify({ detail, context }) });
  return createIngest({
    ...options,
    storage: s3(storage),
    ...(config && { config: () => config }),
    onStored: report('stored'),
    onPage: report('page'),
    onLost: report('lost'),
    onError: (/** @type {unknown} */ error) => report('error')(String(error), undefined),
  });
}

/** @type {((request: Request) => Promise<Response>) | undefined} */
let ingest;

export default {
  /** @param {Request} request @param {import('./ingest-entry.mjs').IngestEnv} env */
  fetch(request, env) {
    if (new URL(request.url).pathname !== env.MOUNT_PATH) return new Response('Not found', { status: 404 });
    ingest ??= createFromEnv(env);
    return ingest(request);
  },
};
