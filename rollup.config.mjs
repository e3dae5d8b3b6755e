// Bundles the modules that tsc emitted into .cache/esm, once per entry: a runtime loads one file.
import resolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';

const bare = (id) => !/^[./]/.test(id) && !id.includes('.cache/esm');

// In a closed file the web package adds only environment variables and merging of configurations, 1.2 kB of them;
// the provider beneath takes the same options.
const withoutWebPackage = {
  name: 'without-web-package',
  resolveId: (id) => (id === '@opentelemetry/sdk-trace-web' ? '\0provider' : null),
  load: (id) =>
    id === '\0provider'
      ? `export { TracerProvider as BasicTracerProvider, StackContextManager } from '@opentelemetry/sdk-trace';`
      : null,
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
    plugins: [withoutWebPackage, resolve({ browser: true }), minify],
    output: { file: 'dist/script.js', format: 'iife', name: 'spandrel', sourcemap: true },
  },
];
