// The package as npm would publish it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { ensureTool } from '../support/tools.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (/** @type {string} */ name) => readFile(path.join(root, name), 'utf8');
const manifest = JSON.parse(await read('package.json'));

let folder = '';
/** @type {{ filename: string, files: { path: string }[] }} */
let packed = { filename: '', files: [] };
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'spandrel-pack-'));
  // The build under test is the one that is there.
  const flags = ['--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', ['pack', ...flags], { cwd: root });
  [packed] = JSON.parse(stdout);
});
after(() => rm(folder, { recursive: true, force: true }));

test('package: holds the build, its types, licence and README, and nothing else', () => {
  const names = packed.files.map(({ path: name }) => name);
  for (const name of [
    'LICENSE',
    'README.md',
    'package.json',
    'dist/index.js',
    'dist/server.js',
    'dist/forward.js',
    'dist/cjs/forward.cjs',
    'dist/types/forward.d.ts',
    'dist/cjs/types/forward.d.ts',
    'dist/compact.js',
    'dist/types/compact.d.ts',
    'src/compact/README.md',
    'dist/cli.js',
    'dist/script.js',
    'dist/script.js.sri',
    'dist/late.js',
    'dist/late.js.sri',
    'dist/spandrel.whole.js',
    'dist/spandrel.whole.js.sri',
    'dist/spandrel.mjs',
    'dist/spandrel.mjs.sri',
    'dist/stub.js',
    'dist/stub.js.sri',
    'demo/recipes/duckdb-spans.sql',
    'demo/worker/wrangler.jsonc',
    'src/server/README.md',
    'src/spa/README.md',
    'src/spa/privacy.md',
    'src/pipeline/README.md',
    'dist/viewer/index.html',
    'dist/viewer/app.mjs',
    'dist/viewer/style.css',
    'dist/viewer/preact.js',
    'dist/viewer/preact.js.LICENSE.txt',
    'dist/viewer/uplot.js',
    'dist/viewer/uplot.js.LICENSE.txt',
    'dist/questions/vitals.sql',
    'dist/init/env.example',
    'dist/init/workers/wrangler.toml',
  ]) {
    assert.ok(names.includes(name), `${name} is missing`);
  }
  const other = names.filter(
    (name) =>
      !/^(LICENSE|README\.md|package\.json|dist\/.+\.(c?js|js\.sri|d\.ts)|dist\/(script|late|spandrel\.whole)\.js\.map|dist\/spandrel\.mjs(\.sri|\.map)?|dist\/cjs\/types\/package\.json)$/.test(
        name,
      ) &&
      !/^(demo\/recipes\/[\w-]+\.(sql|yaml|alloy|md)|demo\/worker\/\w+\.(jsonc?|md)|src\/\w+\/(README|privacy)\.md)$/.test(
        name,
      ) &&
      !/^dist\/viewer\/([\w-]+\.(mjs|css|html|svg)|(preact|uplot)\.js\.LICENSE\.txt)$/.test(name) &&
      !/^dist\/questions\/[\w-]+\.sql$/.test(name) &&
      !/^dist\/init\/(env\.example|page\.html|(node|hono|workers)\/\w+\.(mjs|toml))$/.test(name),
  );
  assert.deepEqual(other, []);
  assert.deepEqual(
    names.filter((name) => /test|testing/.test(name)),
    [],
  );
});

test('package: each source of what is minified is in it once, as a file that the source maps name', async () => {
  const names = packed.files.map(({ path: name }) => name);
  const maps = names.filter((name) => name.endsWith('.map'));
  assert.equal(maps.length, 4, maps.join(' '));
  const named = new Set();
  for (const name of maps) {
    const { sources, sourcesContent } = JSON.parse(await read(name));
    assert.equal(sourcesContent, undefined, name);
    for (const source of sources) named.add(path.posix.join('dist', source));
  }
  assert.deepEqual(names.filter((name) => name.startsWith('dist/sources/')).sort(), [...named].sort());
});

test('package: a source map leads from what is minified to the line that it was', async () => {
  const [code, map] = await Promise.all(['script.js', 'script.js.map'].map((name) => read(`dist/${name}`)));
  const text = 'this page is traced already';
  const before = (code ?? '').slice(0, (code ?? '').indexOf(text)).split('\n');
  const { sources, ...rest } = JSON.parse(map ?? '');
  const found = new SourceMap({ sources, ...rest }).findEntry(before.length - 1, before.at(-1)?.length ?? 0);
  assert.ok('originalSource' in found);
  const lines = (await read(`dist/${found.originalSource}`)).split('\n');
  assert.ok(lines[found.originalLine]?.includes(text), lines[found.originalLine]);
});

test('package: publint has nothing to say', async () => {
  const { messages, pkg } = await publint({ pkgDir: root, pack: 'npm', strict: true });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg, { color: false })),
    [],
  );
});

test('package: its types resolve for every consumer', async () => {
  const cli = path.join(ensureTool('@arethetypeswrong/cli'), 'dist/index.js');
  // A plugin is for what bundlers run in, which loads modules.
  const excluded = ['script.js', 'late.js', 'spandrel.whole.js', 'spandrel.mjs', 'stub.js', 'plugin'];
  const flags = ['--exclude-entrypoints', ...excluded, '--no-emoji', '--no-color'];
  await run(process.execPath, [cli, path.join(folder, packed.filename), ...flags]);
});

test('package: fields that others rely on', () => {
  assert.equal(manifest.name, 'spandrel');
  assert.equal(manifest.type, 'module');
  assert.equal(manifest.license, 'Apache-2.0');
  assert.deepEqual(manifest.sideEffects, [
    './dist/script.js',
    './dist/late.js',
    './dist/spandrel.whole.js',
    './dist/stub.js',
  ]);
  assert.equal(manifest.engines.node, '>=20');
  assert.deepEqual(Object.keys(manifest.exports), [
    '.',
    './edge',
    './otlp',
    './logs',
    './events',
    './server',
    './forward',
    './compact',
    './release',
    './plugin',
    './script.js',
    './late.js',
    './spandrel.whole.js',
    './spandrel.mjs',
    './stub.js',
    './package.json',
  ]);
  assert.deepEqual(Object.keys(manifest.dependencies).sort(), [
    '@jridgewell/trace-mapping',
    'aws4fetch',
    'bowser',
    'cli-progress',
    'commander',
    'fflate',
    'idb-keyval',
    'isbot',
    'picocolors',
    'web-vitals',
  ]);
});

test('package: OpenTelemetry is the host’s own copy; its SDK need not be there', async () => {
  const { peerDependencies, peerDependenciesMeta, dependencies } = manifest;
  for (const name of Object.keys(peerDependencies)) {
    assert.equal(dependencies[name], undefined);
    assert.equal(peerDependenciesMeta[name]?.optional === true, name !== '@opentelemetry/api', name);
  }
  const built = (await readdir(path.join(root, 'dist'), { recursive: true })).filter((name) =>
    /\.(js|d\.ts)$/.test(name),
  );
  assert.ok(built.length > 10);
  for (const name of built) {
    assert.doesNotMatch(await read(`dist/${name}`), /^(?! \*).*from ['"]@opentelemetry\/(?!api['"])/m, name);
  }
});

test('package: the licence is Apache 2.0, whole', async () => {
  const licence = await read('LICENSE');
  assert.match(
    licence,
    /^\s*Apache License\s+Version 2\.0, January 2004\s+http:\/\/www\.apache\.org\/licenses\//,
  );
  assert.match(licence, /END OF TERMS AND CONDITIONS/);
});

test('package: version.ts says the version of package.json', async () => {
  assert.equal(/VERSION: string = '([^']+)'/.exec(await read('src/version.ts'))?.[1], manifest.version);
});
