/** The app of this folder as one file, as a bundler makes it: made when it is first asked for. */
import { fileURLToPath } from 'node:url';
import { nodeResolve as resolve } from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';

/** @type {Promise<string> | undefined} */
let made;

export function bundleOwnApp() {
  made ??= bundle();
  return made;
}

async function bundle() {
  const built = await rollup({
    input: fileURLToPath(new URL('app.mjs', import.meta.url)),
    plugins: [
      {
        name: 'spandrel',
        resolveId: (id) =>
          id === 'spandrel' ? fileURLToPath(new URL('../../dist/index.js', import.meta.url)) : null,
      },
      resolve({ browser: true }),
    ],
    onwarn: () => {},
  });
  const { output } = await built.generate({ format: 'es', inlineDynamicImports: true });
  await built.close();
  return output[0].code;
}
