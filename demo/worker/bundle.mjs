import { fileURLToPath } from 'node:url';
import { nodeResolve as resolve } from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';

/**
 * Bundles a Worker as wrangler would: what it imports of `spandrel` is found by the package's exports.
 *
 * @param {URL} input
 * @returns {Promise<string>} One module.
 * @throws {Error} when something that it imports is not there.
 */
export async function bundleWorker(input) {
  const bundle = await rollup({
    input: fileURLToPath(input),
    plugins: [resolve({ exportConditions: ['workerd', 'worker', 'browser'] })],
    external: (id) => id.startsWith('node:'),
    onwarn: () => {},
  });
  try {
    const { output } = await bundle.generate({ format: 'es', inlineDynamicImports: true });
    return output[0].code;
  } finally {
    await bundle.close();
  }
}
