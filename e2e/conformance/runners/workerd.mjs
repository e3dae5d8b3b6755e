import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { kCurrentWorker, Log, LogLevel, Miniflare } from 'miniflare';
import { inflated } from '../outside/world.mjs';

const COMPATIBILITY_DATE = '2026-04-01';
const BUCKET = 'TRACES';

/** @param {string} file */
const module = async (file) => ({
  type: /** @type {const} */ ('ESModule'),
  path: path.basename(file),
  contents: await readFile(file, 'utf8'),
});

/**
 * @param {string} file
 * @param {string[]} compatibilityFlags
 * @param {string[]} queues
 * @returns {Promise<import('./index.mjs').Runtime>}
 */
export async function startWorkerd(file, compatibilityFlags, queues) {
  let said = '';
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    cf: false,
    log: new Log(LogLevel.ERROR),
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags,
    modules: await Promise.all([file, path.join(path.dirname(file), 'host.mjs')].map(module)),
    r2Buckets: [BUCKET],
    queueConsumers: queues,
    serviceBindings: Object.fromEntries(
      ['API', 'OTHER'].map((name) => [name, { name: kCurrentWorker, entrypoint: 'Api' }]),
    ),
    /** @param {import('node:stream').Readable[]} streams */
    handleRuntimeStdio(...streams) {
      for (const stream of streams)
        stream.on('data', (/** @type {Buffer} */ text) => {
          said += text;
        });
    },
    // Its own socket: Miniflare's proxy would have a say in headers and bodies.
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  });
  try {
    await miniflare.ready;
    const origin = (await miniflare.unsafeGetDirectURL()).origin;
    const worker = /** @type {any} */ (await miniflare.getWorker());
    const bucket = /** @type {any} */ (await miniflare.getR2Bucket(BUCKET));
    return {
      origin,
      said: () => said,
      scheduled: (cron) => worker.scheduled({ cron, scheduledTime: new Date(1_790_000_000_000) }),
      queue: (name, messages) => worker.queue(name, messages),
      r2: {
        async arrived() {
          const arrived = [];
          for (const { key } of (await bucket.list()).objects) {
            const bytes = new Uint8Array(await (await bucket.get(key)).arrayBuffer());
            arrived.push({ place: /** @type {const} */ ('r2'), name: key, bytes, request: inflated(bytes) });
          }
          return arrived;
        },
        async clear() {
          const { objects } = await bucket.list();
          if (objects.length) await bucket.delete(objects.map((/** @type {any} */ { key }) => key));
        },
      },
      close: () => miniflare.dispose(),
    };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}
