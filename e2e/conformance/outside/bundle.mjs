/** Cases with what they need, as files that a runtime loads. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { nodeResolve as resolve } from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';

const root = new URL('../../../', import.meta.url);
const BUNDLES = new URL('.cache/conformance/', root);

/**
 * The built files, by the names that users import. Pages have the entry for pages.
 *
 * @param {string} entry
 */
const builtFor = (entry) => ({
  'spandrel/edge': entry === 'page' ? 'dist/index.js' : 'dist/edge.js',
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
      resolve({ browser: true, exportConditions: entry === 'edge-runtime' ? ['edge-light'] : [] }),
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

/** These cannot load two files: what they start from is bundled with the rest. */
const IN_ONE = ['page', 'edge-runtime'];

/**
 * The files for one runtime, which know its world: the host with all cases, and beside it what the runtime starts from.
 *
 * @param {string} entry
 * @param {import('../case.mjs').World} world
 * @returns {Promise<string>} The path of the latter.
 */
export async function bundleFor(entry, world) {
  const isInOne = IN_ONE.includes(entry);
  const name = isInOne ? entry : 'host';
  const code = bundles.get(name) ?? bundle(name);
  bundles.set(name, code);
  const folder = new URL(`${world.runtime}/`, BUNDLES);
  await mkdir(folder, { recursive: true });
  await writeFile(
    new URL(`${name}.mjs`, folder),
    `globalThis.WORLD = ${JSON.stringify(world)};\n${await code}`,
  );
  const file = new URL(`${entry}.mjs`, folder);
  if (!isInOne) await copyFile(new URL(`../inside/${entry}.mjs`, import.meta.url), file);
  return file.pathname;
}
