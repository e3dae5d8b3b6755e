// Every OpenTelemetry that an app may bring, each in a folder of its own, as no two of them go together.
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeResolve as resolve } from '@rollup/plugin-node-resolve';
import terserModule from '@rollup/plugin-terser';
import { rollup } from 'rollup';
import { ensureTools } from '../support/tools.mjs';

// The package has its types for `require` only.
const terser = /** @type {typeof terserModule.default} */ (/** @type {unknown} */ (terserModule));

const SDK_2 = { '@opentelemetry/sdk-trace-web': '2.12.0' };
const SDK_3 = { '@opentelemetry/sdk-trace': '3.1.1' };

/** As it is shipped. What it imports of OpenTelemetry is the app's. */
const OURS = fileURLToPath(new URL('../../dist', import.meta.url));

/** By the API's version: the oldest that we take, what most have, and the newest. */
const COPIES = {
  '1.3.0': SDK_2,
  '1.9.1': SDK_2,
  '1.10.0': SDK_3,
};

/** @typedef {keyof typeof COPIES} ApiVersion */

export const API_VERSIONS = /** @type {ApiVersion[]} */ (Object.keys(COPIES));

/** @param {ApiVersion} version */
export function copyOf(version) {
  const sdk = COPIES[version];
  const [sdkName = ''] = Object.keys(sdk);
  const folder = ensureTools({ '@opentelemetry/api': version, ...sdk });
  const inFolder = createRequire(`${folder}/index.js`);
  return { sdkName, require: (/** @type {string} */ name) => inFolder(name), folder };
}

/**
 * Bundles a page's module with this copy, small as apps are: names that only the code knows are gone.
 *
 * @param {URL} input Imports `@opentelemetry/api`, `sdk` for whichever SDK it is, and perhaps `spandrel`.
 * @param {ApiVersion} version
 * @param {string[]} [external] What is left to the page's import map.
 */
export async function bundleWith(input, version, external = []) {
  const { folder, sdkName } = copyOf(version);
  const above = `${folder}/index.js`;
  const built = await rollup({
    input: fileURLToPath(input),
    external,
    plugins: [
      {
        name: 'this copy',
        resolveId(id, importer = '') {
          if (id === 'spandrel') return `${OURS}/index.js`;
          const name = id === 'sdk' ? sdkName : id;
          const isOfApp = importer === fileURLToPath(input) && !/^[./]/.test(id) && !external.includes(id);
          const isPeer = path.dirname(importer) === OURS && id.startsWith('@opentelemetry/');
          return isOfApp || isPeer ? this.resolve(name, above, { skipSelf: true }) : null;
        },
      },
      resolve({ browser: true }),
      terser({ ecma: 2020, module: true }),
    ],
    onwarn: () => {},
  });
  const { output } = await built.generate({
    format: external.length ? 'es' : 'iife',
    inlineDynamicImports: true,
  });
  await built.close();
  return output[0].code;
}
