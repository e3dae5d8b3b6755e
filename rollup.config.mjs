// Bundles the modules that tsc emitted into .cache/esm, once per entry: a runtime loads one file.
import resolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';

const bare = (id) => !/^[./]/.test(id) && !id.includes('.cache/esm');
// Not `module`: the file's one global is a top-level variable.
const minify = () => terser({ ecma: 2022, compress: { passes: 3, unsafe_arrows: true } });

export default [
  // npm entries: dependencies stay imports, so that the host's copies are shared; the bundler minifies.
  ...['index', 'server'].map((name) => ({
    input: `.cache/esm/${name}.js`,
    external: bare,
    output: { file: `dist/${name}.js`, format: 'es', sourcemap: true },
  })),
  // The script tag's file holds everything.
  {
    input: '.cache/esm/script.js',
    plugins: [resolve({ browser: true }), minify()],
    output: {
      file: 'dist/script.js',
      format: 'iife',
      name: 'spandrel',
      sourcemap: true,
    },
  },
];
