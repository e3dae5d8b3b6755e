// The queue consumer of the forward README as a Worker of the installed package, over a binding to R2 that can be told to fail.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Log, LogLevel, Miniflare } from 'miniflare';
import { COMPATIBILITY_DATE } from '../../demo/mock-r2/start-miniflare.mjs';
import { bundleWorker } from '../../demo/worker/bundle.mjs';

const WORKER = `
import { forwardConsumer } from 'spandrel/forward';
import { r2 } from 'spandrel/server';

const failed = new Set();
const failing = (bucket, trouble) => ({
  put: (...args) => bucket.put(...args),
  head: (...args) => bucket.head(...args),
  list: (...args) => bucket.list(...args),
  delete: (...args) => bucket.delete(...args),
  async get(key) {
    if (!key.startsWith('otlp/')) return bucket.get(key);
    if (trouble === 'large') return { body: new Blob([new Uint8Array(5 << 20)]).stream() };
    if (trouble === 'ever' || (trouble === 'once' && !failed.has(key))) {
      failed.add(key);
      throw new Error('get: We encountered an internal error. Please try again. (10001)');
    }
    return bucket.get(key);
  },
});

export default {
  async fetch(request, env) {
    const { trouble, messages } = await request.json();
    const outcomes = [];
    let errors = 0;
    const { queue } = forwardConsumer((env) => ({
      storage: r2(failing(env.TRACES, trouble)),
      to: { url: env.OTLP_URL },
      after: 'delete',
      onError: () => void errors++,
    }));
    const told = messages.map((body) => ({
      body,
      ack: () => void outcomes.push('ack'),
      retry: () => void outcomes.push('retry'),
    }));
    await queue({ messages: told }, env);
    return Response.json({ outcomes, errors });
  },
};
`;

/**
 * What is used of the binding to R2, whose own types are those of Workers.
 *
 * @typedef {object} Bucket
 * @property {(options?: { prefix: string }) => Promise<{ objects: { key: string }[] }>} list
 * @property {(keys: string[]) => Promise<void>} delete
 * @property {(key: string, value: Uint8Array) => Promise<unknown>} put
 */

/**
 * @param {string} folder Where the package is installed.
 * @param {string} backendUrl
 */
export async function startConsumer(folder, backendUrl) {
  const file = path.join(folder, 'worker.mjs');
  await writeFile(file, WORKER);
  const miniflare = new Miniflare({
    cf: false,
    log: new Log(LogLevel.ERROR),
    compatibilityDate: COMPATIBILITY_DATE,
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: await bundleWorker(pathToFileURL(file)) }],
    r2Buckets: ['TRACES'],
    bindings: { OTLP_URL: backendUrl },
  });
  const origin = await miniflare.ready;
  return {
    /**
     * @param {string} trouble Of reading each object: `none`, `once`, `ever`, or `large`, larger than told.
     * @param {readonly string[]} keys
     * @param {readonly Uint8Array[]} objects
     */
    async play(trouble, keys, objects) {
      const bucket = /** @type {Bucket} */ (/** @type {unknown} */ (await miniflare.getR2Bucket('TRACES')));
      const old = (await bucket.list()).objects.map(({ key }) => key);
      if (old.length) await bucket.delete(old);
      for (const [n, key] of keys.entries()) await bucket.put(key, objects[n] ?? new Uint8Array());
      const messages = keys.map((key) => ({
        action: 'PutObject',
        bucket: 'traces',
        object: { key, size: 300 },
      }));
      const response = await fetch(origin, { method: 'POST', body: JSON.stringify({ trouble, messages }) });
      const { outcomes, errors } = /** @type {{ outcomes: string[], errors: number }} */ (
        await response.json()
      );
      const aside = (await bucket.list({ prefix: 'quarantine/' })).objects.length;
      return { outcomes, errors, aside };
    },
    close: () => miniflare.dispose(),
  };
}
