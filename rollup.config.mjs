// Bundles the modules that tsc emitted into .cache/esm, once per entry: a runtime loads one file.
import path from 'node:path';
import resolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';

const bare = (id) => !/^[./]/.test(id) && !id.includes('.cache/esm');

// A closed file needs little of OpenTelemetry, and that little is written anew for it: see the reasons there.
const standIns = {
  '@opentelemetry/api': '.cache/esm/script/opentelemetry-api.js',
  '@opentelemetry/sdk-trace-web': '.cache/esm/script/opentelemetry-sdk.js',
};
const withStandIns = {
  name: 'with-stand-ins',
  resolveId: (id) => (id in standIns ? path.resolve(standIns[id]) : null),
};

// Names that OpenTelemetry's classes mark as private are shortened; those used as text are left alone.
const minify = terser({
  ecma: 2022,
  compress: { passes: 3, unsafe_arrows: true },
  mangle: { properties: { regex: /^_(?!_)/, keep_quoted: true } },
});

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
    plugins: [withStandIns, resolve({ browser: true }), minify],
    output: { file: 'dist/script.js', format: 'iife', name: 'spandrel', sourcemap: true },
  },
];
