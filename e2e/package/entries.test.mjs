// The built entries: what they export, what they hold, and that importing one does nothing.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import vm from 'node:vm';

const run = promisify(execFile);
const dist = (/** @type {string} */ name) => new URL(`../../dist/${name}`, import.meta.url);

/** The built files that one consists of, as text by URL, and the packages that they import. @param {string} name */
async function closureOf(name) {
  const files = new Map();
  const packages = new Set();
  const visit = async (/** @type {URL} */ url) => {
    if (files.has(url.href)) return;
    files.set(url.href, await readFile(url, 'utf8'));
    for (const [, from] of files.get(url.href).matchAll(/^(?:import|export)\b[^;]*? from '([^']+)'/gm)) {
      if (from.startsWith('.')) await visit(new URL(from, url));
      else packages.add(from);
    }
  };
  await visit(dist(name));
  return { code: [...files.values()].join('\n'), packages: [...packages].sort(), files };
}

/** Properties of a document are its prototype's, as in browsers. */
class OwnDocument {
  /** @type {unknown} */
  script;
  get currentScript() {
    return this.script;
  }
}

const PAGE_EXPORTS = [
  'PageInstrumentation',
  'TraceBatchProcessor',
  'TraceExporter',
  'bucket',
  'sessionProcessor',
  'spandrelSampler',
  'start',
  'tailSampling',
  'tee',
];

/** Names that may come only with a decision, since each is a promise to users. */
const EXPORTS = {
  'index.js': PAGE_EXPORTS,
  'spandrel.mjs': PAGE_EXPORTS,
  'events.js': ['EventSpans', 'fromEventTarget', 'fromMessages', 'fromPerformance', 'sendTo'],
  'logs.js': ['LogBatchProcessor', 'LogExporter'],
  'compact.js': ['compact', 'compactWorker', 'erase'],
  'forward.js': ['createBatchSender', 'forward', 'forwardConsumer'],
  'plugin.js': ['esbuild', 'rolldown', 'rollup', 'rspack', 'vite', 'webpack'],
  'release.js': ['release'],
  'server.js': [
    'QuotaObject',
    'StorageError',
    'createIngest',
    'createLedger',
    'durableObjectQuota',
    'memoryQuota',
    'nodeListener',
    'r2',
    's3',
    'workersRateLimit',
  ],
};

for (const [name, expected] of Object.entries(EXPORTS)) {
  test(`${name}: exports exactly what was decided`, async () => {
    assert.deepEqual(Object.keys(await import(dist(name).href)).sort(), expected);
  });

  test(`${name}: importing it sets no timer, no listener and no global, and asks nobody`, async () => {
    const watch = `
      const touched = [];
      const names = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'addEventListener'];
      for (const name of names) globalThis[name] = () => void touched.push(name);
      process.on = process.once = process.addListener = (name) => void touched.push(name);
      const before = Reflect.ownKeys(globalThis);
      await import(${JSON.stringify(dist(name).href)});
      const added = Reflect.ownKeys(globalThis).filter((key) => !before.includes(key)).map(String);
      process.stdout.write(JSON.stringify([...touched, ...added]));`;
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', watch]);
    // A key under which copies of OpenTelemetry's API find one another.
    const found = JSON.parse(stdout).filter(
      (/** @type {string} */ key) => !key.startsWith('Symbol(opentelemetry.js.api'),
    );
    assert.deepEqual(found, []);
    assert.equal(stderr, '');
  });
}

for (const name of ['index.js', 'script.js', 'late.js', 'spandrel.whole.js', 'spandrel.mjs']) {
  test(`${name}: holds nothing of the server`, async () => {
    const { code } = await closureOf(name);
    for (const word of [
      'AWS4-HMAC-SHA256',
      'X-Amz-Signature',
      'aws4fetch',
      'createIngest',
      'secretAccessKey',
    ]) {
      assert.ok(!code.includes(word), `${word} is in ${name}`);
    }
  });
}

test('events.js: needs the API of OpenTelemetry, and holds nothing of the pipeline', async () => {
  const { code, packages } = await closureOf('events.js');
  assert.deepEqual(packages, ['@opentelemetry/api']);
  for (const word of ['gzip', 'indexedDB', 'fetch(', 'setTimeout', 'resourceSpans']) {
    assert.ok(!code.includes(word), `${word} is in events.js`);
  }
});

test('spandrel.mjs: imports nothing, so that it can be renamed, and makes no code from text', async () => {
  const code = await readFile(dist('spandrel.mjs'), 'utf8');
  assert.match(code, /^\/\/# allFunctionsCalledOnLoad\n/);
  for (const forbidden of [/\bimport\s*[({'"*]/, /\bfrom\s*['"]/, /\beval\s*\(/, /\bnew Function\b/])
    assert.doesNotMatch(code, forbidden);
});

for (const [name, beginning] of /** @type {const} */ ([
  // The first line has Chromium compile it while it downloads.
  ['script.js', /^\/\/# allFunctionsCalledOnLoad\nvar spandrel\s*=\s*\(?function/],
  ['spandrel.whole.js', /^\/\/# allFunctionsCalledOnLoad\nvar spandrel\s*=\s*\(?function/],
  ['late.js', /^\/\/# allFunctionsCalledOnLoad\n!function/],
])) {
  test(`${name}: a classic script with one global at most, and no code made from text`, async () => {
    const code = await readFile(dist(name), 'utf8');
    assert.match(code, beginning);
    for (const forbidden of [
      /\bimport\s*[({'"*]/,
      /\brequire\s*\(/,
      /\beval\s*\(/,
      /\bnew Function\b/,
      /^export\b/m,
    ]) {
      assert.doesNotMatch(code, forbidden);
    }
  });
}

test('script.js: without a tag that names a service it starts nothing', async () => {
  /** @type {string[]} */
  const touched = [];
  const tell = (/** @type {string} */ name) => () => void touched.push(name);
  /** @type {Record<string, any>} */
  const page = {
    Document: OwnDocument,
    document: {
      __proto__: OwnDocument.prototype,
      script: { dataset: {} },
      addEventListener: tell('document.addEventListener'),
    },
    addEventListener: tell('addEventListener'),
    setTimeout: tell('setTimeout'),
    fetch: tell('fetch'),
    console: { error: tell('console.error') },
    performance,
    TextEncoder,
    TextDecoder,
    URL,
  };
  const context = vm.createContext(page);
  const before = Object.keys(page);
  vm.runInContext(await readFile(dist('script.js'), 'utf8'), context);
  assert.deepEqual(touched, []);
  assert.deepEqual(
    Object.keys(page).filter((key) => !before.includes(key)),
    ['spandrel'],
  );
  assert.deepEqual(Object.keys(page.spandrel).sort(), [
    'TraceBatchProcessor',
    'TraceExporter',
    'bucket',
    'early',
    'flush',
    'instance',
    'recordException',
    'setAttributes',
    'setConsent',
    'setFlag',
    'setUser',
    'start',
  ]);
  assert.equal(page.spandrel.instance, undefined);
});

test('script.js: a mistake in the tag is one line on the console, and the page goes on', async () => {
  /** @type {string[]} */
  const errors = [];
  const page = {
    Document: OwnDocument,
    document: {
      __proto__: OwnDocument.prototype,
      script: { dataset: { service: 'shop', poolSize: 'many' } },
      baseURI: 'https://shop.test/',
    },
    console: { error: (/** @type {unknown} */ error) => errors.push(String(error)) },
    URL,
    performance,
  };
  vm.runInContext(await readFile(dist('script.js'), 'utf8'), vm.createContext(page));
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? '', /attribute data-/);
});

test('what has an identity is in one file, whoever asks for it', async () => {
  const apart = 'spandrel.mjs';
  const names = [...Object.keys(EXPORTS).filter((name) => name !== apart), 'edge.js', 'otlp.js', 'cli.js'];
  const closures = await Promise.all(names.map(closureOf));
  const files = new Map(closures.flatMap((closure) => [...closure.files]));
  // Classes, and what modules remember.
  const declared = [...files.values()].flatMap((code) =>
    [...code.matchAll(/^(?:class \w+|(?:let|const) \w+ = new (?:Weak)?(?:Map|Set)\b.*).*$/gm)].map(
      ([line]) => line,
    ),
  );
  assert.ok(declared.length > 10, `${declared.length} were found`);
  // Two are meant to be of one name: that of pages, and that of the edge.
  const twice = declared.filter((line, index) => declared.indexOf(line) !== index);
  assert.deepEqual(twice, ['class TraceExporter extends Exporter {']);
  const [page, edge] = await Promise.all(['index.js', 'edge.js'].map((name) => import(dist(name).href)));
  for (const name of ['TraceBatchProcessor', 'bucket', 'tee']) assert.equal(page[name], edge[name], name);
});

test('script.js: names its second file by the hash of what is shipped', async () => {
  const integrity = await readFile(dist('late.js.sri'), 'utf8');
  const [first, whole] = await Promise.all(
    ['script.js', 'spandrel.whole.js'].map((name) => readFile(dist(name), 'utf8')),
  );
  assert.ok(first?.includes(integrity));
  assert.ok(!whole?.includes('LATE_INTEGRITY') && !whole?.includes(integrity));
});

for (const name of ['script.js', 'late.js', 'spandrel.whole.js', 'spandrel.mjs', 'stub.js']) {
  test(`${name}: its hash is beside it, for \`integrity\` and for a policy`, async () => {
    const hash = createHash('sha384')
      .update(await readFile(dist(name)))
      .digest('base64');
    assert.equal(await readFile(dist(`${name}.sri`), 'utf8'), `sha384-${hash}`);
  });
}

test('stub.js: a classic script with one global, that ends no script element', async () => {
  const code = await readFile(dist('stub.js'), 'utf8');
  assert.doesNotMatch(code, /<\/|<!--|sourceMappingURL|innerHTML/);
  /** @type {string[]} */
  const heard = [];
  /** @type {Record<string, any>} */
  const page = {
    Document: OwnDocument,
    document: { __proto__: OwnDocument.prototype, script: { dataset: {} } },
    performance,
    addEventListener: (/** @type {string} */ type) => void heard.push(type),
    setTimeout: () => void heard.push('timeout'),
  };
  page.self = page;
  const context = vm.createContext(page);
  const before = Object.keys(page);
  vm.runInContext(code, context);
  const { spandrel } = page;
  vm.runInContext(code, context);
  assert.deepEqual(
    Object.keys(page).filter((key) => !before.includes(key)),
    ['spandrel'],
  );
  assert.equal(vm.runInContext('typeof stub + typeof tag', context), 'undefinedundefined');
  assert.equal(page.spandrel, spandrel);
  assert.deepEqual(heard, ['error', 'unhandledrejection', 'timeout']);
});
