/** Cases with what they need, as one file that a runtime loads. */
import { mkdir, writeFile } from 'node:fs/promises';
import resolve from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';

const root = new URL('../../../', import.meta.url);
const BUNDLES = new URL('.cache/conformance/', root);

/**
 * The built files, by the names that users import, as the conditions in package.json have it for that runtime. Pages
 * have the entry for pages.
 *
 * @param {string} entry
 */
const builtFor = (entry) => ({
  'spandrel/edge': { page: 'dist/index.js', 'edge-runtime': 'dist/edge-light.js' }[entry] ?? 'dist/edge.js',
  'spandrel/otlp': 'dist/otlp.js',
});

/**
 * @param {string} entry A file of `inside/`.
 * @returns {Promise<string>} The code.
 */
async function bundle(entry) {
  const names = builtFor(entry);
  const bundle = await rollup({
    input: new URL(`../inside/${entry}.mjs`, import.meta.url).pathname,
    external: /^node:/,
    // What is not in a page's entry is not asked for in pages: see `notIn`.
    shimMissingExports: entry === 'page',
    // Nothing is to be small here, and it is what takes the time.
    treeshake: false,
    plugins: [
      {
        name: 'built',
        resolveId: (id) =>
          id in names ? new URL(names[/** @type {keyof typeof names} */ (id)], root).pathname : null,
      },
      resolve({ browser: true }),
    ],
    onwarn: () => {},
  });
  const { output } = await bundle.generate({
    format: entry === 'edge-runtime' ? 'iife' : 'es',
    inlineDynamicImports: true,
  });
  await bundle.close();
  return output[0].code;
}

/** @type {Map<string, Promise<string>>} */
const bundles = new Map();

/**
 * The file for one runtime: it knows its world.
 *
 * @param {string} entry
 * @param {import('../case.mjs').World} world
 * @returns {Promise<string>} Its path.
 */
export async function bundleFor(entry, world) {
  const code = bundles.get(entry) ?? bundle(entry);
  bundles.set(entry, code);
  const file = new URL(`${world.runtime}.mjs`, BUNDLES);
  await mkdir(BUNDLES, { recursive: true });
  await writeFile(file, `globalThis.WORLD = ${JSON.stringify(world)};\n${await code}`);
  return file.pathname;
}
