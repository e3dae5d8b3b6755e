// Bundles a page's module with its framework, as a user's bundler would.
import path from 'node:path';
import { nodeResolve as resolve } from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';
import { ensureFrameworks } from './tools.mjs';

/** The builds for browsers, which need no flags. @type {Record<string, string>} */
const BUILDS = {
  vue: 'vue/dist/vue.runtime.esm-browser.prod.js',
  'vue-router': 'vue-router/dist/vue-router.esm-browser.prod.js',
};

/** CommonJS files as modules: React comes in no other form. What they require for development is never asked for. */
const commonjs = {
  name: 'commonjs',
  /** @param {string} source */
  transform(source) {
    const code = source.replaceAll('process.env.NODE_ENV', '"production"');
    if (!/\bexports\b/.test(code) || /^(import|export)\b/m.test(code)) return { code, map: null };
    const names = [...code.matchAll(/\brequire\((["'])([^"']+)\1\)/g)].map(([, , name = '']) => name);
    const required = [...new Set(names)].filter((name) => !name.includes('development'));
    const imports = required.map((name, at) => `import { __cjs as r${at} } from '${name}';`);
    const table = required.map((name, at) => `'${name}': r${at}`);
    return {
      code: `${imports.join('')} const table = { ${table} }; const module = { exports: {} };
((module, exports, require) => { ${code}
})(module, module.exports, (name) => table[name]);
const __cjs = module.exports; export { __cjs, __cjs as default };`,
      map: null,
      syntheticNamedExports: '__cjs',
    };
  },
};

/**
 * @param {URL} input
 * @returns {Promise<{ fileName: string, code: string }[]>} the entry first, then what it imports later.
 */
export async function bundlePage(input) {
  const modules = path.join(ensureFrameworks(), 'node_modules');
  const bundle = await rollup({
    input: input.pathname,
    // Nothing is to be small here, and it is what takes the time.
    treeshake: false,
    plugins: [
      {
        name: 'builds',
        resolveId: (id) => {
          const build = BUILDS[id];
          return build === undefined ? null : path.join(modules, build);
        },
      },
      resolve({ browser: true, modulePaths: [modules] }),
      commonjs,
    ],
    onwarn: () => {},
  });
  const { output } = await bundle.generate({ format: 'es', entryFileNames: '[name].js' });
  await bundle.close();
  return output.flatMap((file) =>
    file.type === 'chunk' ? [{ fileName: file.fileName, code: file.code }] : [],
  );
}
