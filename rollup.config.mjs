// Bundles the modules that tsc emitted into .cache/esm, once per entry: a runtime loads one file.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import resolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';

const bare = (id) => !/^[./]/.test(id) && !id.includes('.cache/');

// A closed file needs little of OpenTelemetry, and that little is written anew for it: see the reasons there.
const standIns = {
  '@opentelemetry/api': '.cache/esm/script/opentelemetry-api.js',
  '@opentelemetry/sdk-trace-web': '.cache/esm/sdk/tracer-provider.js',
};
const withStandIns = {
  name: 'with-stand-ins',
  resolveId: (id) => (id in standIns ? path.resolve(standIns[id]) : null),
};

// A runtime without CompressionStream needs fflate, and the others need not carry it.
const edgeCompression = path.resolve('.cache/esm/edge/compress.js');
const withFflate = {
  name: 'with-fflate',
  async resolveId(id, importer) {
    if (!id.endsWith('/compress.js')) return null;
    const resolved = await this.resolve(id, importer, { skipSelf: true });
    return resolved?.id === edgeCompression ? path.resolve('.cache/esm/pipeline/compress.js') : resolved;
  },
};

// Getters of our own have no side effects, and those of others are not called for nothing.
const minification = { ecma: 2022, compress: { passes: 3, unsafe_arrows: true, pure_getters: true } };
const minify = terser(minification);

// Nearly all of the script runs as the page loads. Told so on the first line, Chromium compiles all of it off the main
// thread while it downloads, which takes a fifth to a third off what the script costs a page; other engines see a
// comment. https://v8.dev/blog/explicit-compile-hints
const minifyScript = terser({ ...minification, format: { preamble: '//# allFunctionsCalledOnLoad' } });

// What goes into `integrity`, and for the stub into a policy's `script-src`: beside the file, and shown by the build.
const integrity = {
  name: 'integrity',
  writeBundle({ file }) {
    const bytes = readFileSync(file);
    const hash = `sha384-${createHash('sha384').update(bytes).digest('base64')}`;
    writeFileSync(`${file}.sri`, hash);
    console.log(`${file} ${bytes.length} bytes ${hash}`);
  },
};

// What `spandrel view` serves: the demo's viewer, with what its host adds to it. `about.mjs` is the server's to say.
const viewer = {
  name: 'viewer',
  writeBundle() {
    rmSync('dist/viewer', { recursive: true, force: true });
    mkdirSync('dist/viewer', { recursive: true });
    const own = readdirSync('demo/viewer').filter((name) => /^(?!about\.)[\w-]+\.(mjs|css|html)$/.test(name));
    for (const name of own) copyFileSync(`demo/viewer/${name}`, `dist/viewer/${name}`);
    for (const name of ['style.css', 'icon.svg']) copyFileSync(`demo/${name}`, `dist/viewer/${name}`);
    copyFileSync(fileURLToPath(import.meta.resolve('htm/preact/standalone')), 'dist/viewer/preact.js');
    const licences = ['htm', 'preact'].map(
      (name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, 'utf8')}`,
    );
    writeFileSync('dist/viewer/preact.js.LICENSE.txt', `preact.js holds:\n\n${licences.join('\n\n')}`);
  },
};

export default [
  // npm entries: dependencies stay imports, so that the host's copies are shared; the bundler minifies.
  ...['index', 'edge', 'otlp', 'events', 'server', 'forward'].map((name) => ({
    input: `.cache/esm/${name}.js`,
    external: bare,
    output: { file: `dist/${name}.js`, format: 'es', sourcemap: true },
  })),
  {
    input: '.cache/esm/edge.js',
    external: bare,
    plugins: [withFflate],
    output: { file: 'dist/edge-light.js', format: 'es', sourcemap: true },
  },
  // The command.
  {
    input: '.cache/cli/cli/main.js',
    external: bare,
    plugins: [viewer],
    output: { file: 'dist/cli.js', format: 'es', sourcemap: true },
  },
  // The script tag's file holds everything.
  {
    input: '.cache/esm/script.js',
    plugins: [withStandIns, resolve({ browser: true }), minifyScript, integrity],
    output: { file: 'dist/script.js', format: 'iife', name: 'spandrel', sourcemap: true },
  },
  // To be inlined in the page's head, byte for byte.
  {
    input: '.cache/esm/stub.js',
    plugins: [minify, integrity],
    output: { file: 'dist/stub.js', format: 'es' },
  },
];
