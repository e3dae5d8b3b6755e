// Makes the package of what tsc emitted into .cache/esm: the npm entries and the command in one build, in which each
// module is once, whoever asks for it; and files that are closed in themselves, for script tags.
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import resolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';

const { version: VERSION } = JSON.parse(readFileSync('package.json', 'utf8'));

const entries = ['index', 'edge', 'otlp', 'logs', 'events', 'server', 'forward', 'compact', 'release'];
/** For Node's modules alone, as what they are made with is. */
const moduleEntries = [...entries, 'plugin'];

const bare = (id) => !/^[./]/.test(id) && !path.isAbsolute(id);

// A closed file needs little of OpenTelemetry, and that little is written anew for it: see the reasons there.
const withStandIns = (standIns) => ({
  name: 'with-stand-ins',
  resolveId: (id) => (id in standIns ? path.resolve(standIns[id]) : null),
});

// A runtime without CompressionStream needs fflate, and the others need not carry it: package.json's "imports" say which.
const edgeCompression = path.resolve('.cache/esm/edge/compress.js');
const compressionByRuntime = {
  name: 'compression-by-runtime',
  async resolveId(id, importer) {
    if (!importer || !id.endsWith('/compress.js')) return null;
    const resolved = await this.resolve(id, importer, { skipSelf: true });
    return resolved?.id === edgeCompression ? { id: '#compress', external: true } : resolved;
  },
};

// Declarations of the npm entries and of what they name, for every TypeScript from 5.0 on: `Uint8Array` takes an argument
// since 5.7, and its `slice` has given `Uint8Array<ArrayBuffer>` since then.
const types = {
  name: 'types',
  // What an earlier build named otherwise.
  generateBundle: ({ dir }) => rmSync(path.join(dir, 'chunks'), { recursive: true, force: true }),
  writeBundle({ dir, format }) {
    const folder = path.join(dir, 'types');
    rmSync(folder, { recursive: true, force: true });
    const seen = new Set();
    const write = (name) => {
      if (seen.has(name)) return;
      seen.add(name);
      const text = readFileSync(path.join('.cache/types', name), 'utf8');
      const file = path.join(folder, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text.replaceAll('Uint8Array<ArrayBuffer>', "ReturnType<Uint8Array['slice']>"));
      for (const [, to] of text.matchAll(/\b(?:from |import\()['"](\.[^'"]+)\.js['"]/g)) {
        write(path.join(path.dirname(name), `${to}.d.ts`));
      }
    };
    for (const name of format === 'cjs' ? entries : moduleEntries) write(`${name}.d.ts`);
    // Whether a declaration is that of a CommonJS module is told by the nearest manifest.
    if (format === 'cjs') writeFileSync(path.join(folder, 'package.json'), '{ "type": "commonjs" }\n');
  },
};

// Getters of our own have no side effects, and those of others are not called for nothing.
const minification = {
  ecma: 2022,
  compress: { passes: 3, unsafe_arrows: true, pure_getters: true, hoist_funs: true },
};

// Nobody assigns to these: with one word for both, the compressor has one less to tell apart. As long as before, so that
// source maps hold.
const letForConst = {
  name: 'let-for-const',
  renderChunk: (code) => ({ code: code.replace(/\bconst\b/g, 'let  '), map: null }),
};

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

// What `spandrel init` writes; and what `spandrel view` serves: the demo's viewer, with what its host adds to it. `about.mjs`
// is the server's to say.
const commandFiles = {
  name: 'command-files',
  writeBundle() {
    rmSync('dist/viewer', { recursive: true, force: true });
    mkdirSync('dist/viewer', { recursive: true });
    const own = readdirSync('demo/viewer').filter((name) => /^(?!about\.)[\w-]+\.(mjs|css|html)$/.test(name));
    for (const name of own) copyFileSync(`demo/viewer/${name}`, `dist/viewer/${name}`);
    for (const name of ['style.css', 'icon.svg']) copyFileSync(`demo/${name}`, `dist/viewer/${name}`);
    copyFileSync(fileURLToPath(import.meta.resolve('htm/preact/standalone')), 'dist/viewer/preact.js');
    copyFileSync('node_modules/uplot/dist/uPlot.esm.js', 'dist/viewer/uplot.js');
    copyFileSync('node_modules/uplot/dist/uPlot.min.css', 'dist/viewer/uplot.css');
    const licences = ['htm', 'preact'].map(
      (name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, 'utf8')}`,
    );
    writeFileSync('dist/viewer/preact.js.LICENSE.txt', `preact.js holds:\n\n${licences.join('\n\n')}`);
    copyFileSync('node_modules/uplot/LICENSE', 'dist/viewer/uplot.js.LICENSE.txt');
    cpSync('src/cli/init/files', 'dist/init', { recursive: true });
    cpSync('src/cli/view/questions', 'dist/questions', { recursive: true });
  },
};

// The sources of what is minified lie in the package once, as files: its maps name them, and hold none.
rmSync('dist/sources', { recursive: true, force: true });
const MODULES = '.cache/esm/';
const maps = {
  sourcemap: true,
  sourcemapExcludeSources: true,
  sourcemapPathTransform(source) {
    const file = path.relative('', path.resolve('dist', source)).replaceAll('\\', '/');
    return `sources/${file.startsWith(MODULES) ? file.slice(MODULES.length) : file}`;
  },
};
const sources = {
  name: 'sources',
  writeBundle(_, files) {
    for (const name of Object.values(files).flatMap(({ map }) => map?.sources ?? [])) {
      const file = name.replace(/^sources\/(?!node_modules\/)/, MODULES).replace(/^sources\//, '');
      mkdirSync(path.join('dist', path.dirname(name)), { recursive: true });
      copyFileSync(file, path.join('dist', name));
    }
  },
};

// The script tag's two files, and both in one: see `late-source.ts`. The first knows the second's hash.
const withLateIntegrity = {
  name: 'with-late-integrity',
  transform: (code, id) =>
    path.basename(id) === 'late-source-script.js'
      ? code.replaceAll('LATE_INTEGRITY', () => `'${readFileSync('dist/late.js.sri', 'utf8')}'`)
      : null,
};
// What the second file uses of the first is lent to it.
let lentNames = [];
let lentFiles = [];
const lent = {
  name: 'lent',
  buildStart() {
    const text = readFileSync('.cache/esm/shared.js', 'utf8');
    const lines = [...text.matchAll(/\{ ([^}]+) \} from '([^']+)'/g)];
    lentNames = lines.flatMap(([, names]) => names.split(', '));
    lentFiles = lines.map(([, , file]) => path.resolve('.cache/esm', file));
  },
  resolveId(id, importer) {
    const file = path.resolve(path.dirname(importer ?? ''), id);
    return lentFiles.includes(file) ? { id: 'lent', external: true } : null;
  },
  generateBundle(_, files) {
    const missing = Object.values(files)
      .flatMap(({ importedBindings }) => importedBindings?.lent ?? [])
      .filter((name) => !lentNames.includes(name));
    if (missing.length) this.error(`shared.ts does not lend ${missing}`);
  },
};
const closedFile = (entry, name, late, format = 'iife', plugins = []) => ({
  input: `.cache/esm/${entry}.js`,
  plugins: [
    withStandIns({
      '@opentelemetry/api': '.cache/esm/script/opentelemetry-api.js',
      './late-source.js': `.cache/esm/late-source-${late}.js`,
    }),
    ...[...plugins, withLateIntegrity, resolve({ browser: true }), letForConst, minifyScript],
    ...[integrity, sources],
  ],
  output: {
    ...{ ...maps, file: `dist/${name}`, format, name: 'spandrel' },
    globals: { lent: `globalThis[Symbol.for("spandrel.late ${VERSION}")]` },
  },
});

const modules = { minifyInternalExports: false, hoistTransitiveImports: false };

export default [
  // Dependencies stay imports, so that the host's copies are shared; the bundler minifies. No source maps: comments and
  // names are there.
  {
    input: {
      ...Object.fromEntries(moduleEntries.map((name) => [name, `.cache/esm/${name}.js`])),
      cli: '.cache/esm/cli/main.js',
      // What the demo's viewer asks too.
      overview: '.cache/esm/cli/view/overview/overview.js',
      compress: edgeCompression,
      'compress-fflate': '.cache/esm/pipeline/compress-fflate.js',
    },
    external: bare,
    plugins: [compressionByRuntime, commandFiles],
    output: { ...modules, dir: 'dist', format: 'es', chunkFileNames: 'chunks/[name].js', plugins: [types] },
  },
  // The same for who cannot import, which is Jest.
  {
    input: entries.map((name) => `.cache/esm/${name}.js`),
    external: bare,
    output: {
      ...modules,
      dir: 'dist/cjs',
      format: 'cjs',
      exports: 'named',
      entryFileNames: '[name].cjs',
      chunkFileNames: 'chunks/[name].cjs',
      plugins: [types],
    },
  },
  closedFile('late-script', 'late.js', 'script', 'iife', [lent]),
  closedFile('script', 'script.js', 'script'),
  closedFile('script', 'spandrel.whole.js', 'whole'),
  // The npm entry for pages that import without a bundler, by `<script type="module">` or an import map. One file: a second
  // would import the first by a name, and pages rename files and give them queries.
  closedFile('index', 'spandrel.mjs', 'whole', 'es'),
  // To be inlined in the page's head, byte for byte.
  {
    input: '.cache/esm/stub.js',
    plugins: [terser(minification), integrity],
    output: { file: 'dist/stub.js', format: 'iife', name: 'spandrel', strict: false },
  },
];
