import { readFile } from 'node:fs/promises';
import { bundleWorker } from './bundle.mjs';

/** `wrangler.jsonc`, in which comments have lines of their own. */
export async function readWranglerConfig() {
  const text = await readFile(new URL('wrangler.jsonc', import.meta.url), 'utf8');
  return JSON.parse(text.replace(/^\s*\/\/.*$/gm, ''));
}

/**
 * The Worker with all that `wrangler.jsonc` binds it to, for Miniflare, and with what `wrangler secret put` would say.
 *
 * @param {object} site
 * @param {(request: { url: string }) => Promise<Response>} site.assets The shop's pages.
 * @param {string} site.warehouseUrl
 * @param {string} [site.otlpUrl] Default none.
 * @param {string} [site.otlpKey] Of those who may send OTLP. Default nobody.
 * @returns {(context: import('../mock-r2/ingest-entry.mjs').EntryContext) => Promise<import('miniflare').WorkerOptions>}
 */
export const workerInMiniflare =
  ({ assets, warehouseUrl, otlpUrl = '', otlpKey }) =>
  async ({ r2, settings: { secret, storage } }) => {
    const config = await readWranglerConfig();
    const [bucket] = config.r2_buckets;
    const [consumer] = config.queues.consumers;
    return {
      name: config.name,
      compatibilityDate: config.compatibility_date,
      compatibilityFlags: config.compatibility_flags,
      modules: [
        {
          type: 'ESModule',
          path: config.main,
          contents: await bundleWorker(new URL(config.main, import.meta.url)),
        },
      ],
      r2Buckets: { [bucket.binding]: r2 },
      queueConsumers: {
        [consumer.queue]: {
          maxBatchSize: consumer.max_batch_size,
          maxBatchTimeout: consumer.max_batch_timeout,
          maxRetries: consumer.max_retries,
          deadLetterQueue: consumer.dead_letter_queue,
        },
      },
      durableObjects: durableObjectsOf(config),
      ratelimits: Object.fromEntries(
        config.ratelimits.map((/** @type {any} */ { name, ...limit }) => [name, limit]),
      ),
      serviceBindings: { [config.assets.binding]: /** @type {any} */ (assets) },
      bindings: {
        ...config.vars,
        WAREHOUSE_URL: warehouseUrl,
        OTLP_URL: otlpUrl,
        ...(otlpKey && { OTLP_KEY: otlpKey }),
        R2_ENDPOINT: storage['endpoint'],
        R2_PUBLIC_ENDPOINT: storage['publicEndpoint'],
        R2_BUCKET: storage['bucket'],
        R2_ACCESS_KEY_ID: storage['accessKeyId'],
        R2_SECRET_ACCESS_KEY: storage['secretAccessKey'],
        SPANDREL_SECRET: secret,
      },
    };
  };

/** @param {any} config */
const durableObjectsOf = ({ durable_objects: { bindings }, migrations }) =>
  Object.fromEntries(
    bindings.map((/** @type {{ name: string, class_name: string }} */ { name, class_name: className }) => [
      name,
      {
        className,
        useSQLite: migrations.some((/** @type {any} */ step) => step.new_sqlite_classes?.includes(className)),
      },
    ]),
  );
