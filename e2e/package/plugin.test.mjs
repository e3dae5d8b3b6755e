// `spandrel/plugin` in builds of each bundler: the release, debug ids, maps in the store and nowhere else.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { rollup as runRollup } from 'rollup';
import { createMapCache } from '../../.cache/esm/maps/map-cache.js';
import { resolveStack } from '../../.cache/esm/maps/resolve-stack.js';
import * as plugins from '../../dist/plugin.js';
import { ensureTool } from '../support/tools.mjs';

const LIMIT = { timeout: 300_000 };
const CHECK_OUT = `export function checkOut(order) {
  const { items, address } = order;
  const many = items.length > 1 ? 'things' : 'thing';
  return items.length + many + address.street;
}
`;
const APP = `import { release } from 'spandrel/release';
import { checkOut } from './check-out.js';
globalThis.shop = { release, fails: () => checkOut({ items: [] }) };
`;

/** @type {string} */
let folder;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'spandrel-plugin-'));
  await mkdir(path.join(folder, 'src'));
  await writeFile(path.join(folder, 'src/app.js'), APP);
  await writeFile(path.join(folder, 'src/check-out.js'), CHECK_OUT);
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }');
});
after(() => rm(folder, { recursive: true }));

/** @typedef {{ input: string, dir: string, root: string }} Job */

/** @type {Record<string, (job: Job, options: import('../../dist/types/plugin.js').SpandrelPluginOptions) => Promise<unknown>>} */
const BUNDLERS = {
  async rollup({ input, dir }, options) {
    const built = await runRollup({ input, plugins: [plugins.rollup(options)] });
    return built.write({ dir, entryFileNames: 'app-[hash].js', format: 'iife' });
  },
  async esbuild({ input, dir, root }, options) {
    const { build } = createRequire(path.join(ensureTool('esbuild'), 'index.js'))('esbuild');
    const plugin = plugins.esbuild(options);
    const output = { outdir: dir, bundle: true, minify: true, entryNames: '[name]-[hash]' };
    return build({
      entryPoints: [input],
      plugins: [plugin],
      ...output,
      absWorkingDir: root,
      logLevel: 'silent',
    });
  },
  async vite({ input, dir, root }, options) {
    const { build } = await import(pathToFileURL(path.join(ensureTool('vite'), 'dist/node/index.js')).href);
    const output = {
      rollupOptions: { input, output: { format: 'iife' } },
      outDir: dir,
      modulePreload: false,
    };
    const quiet = { logLevel: 'silent', configFile: false };
    return build({ root, ...quiet, build: output, plugins: [plugins.vite(options)] });
  },
  webpack({ input, dir, root }, options) {
    const webpack = createRequire(path.join(ensureTool('webpack'), 'index.js'))('webpack');
    const output = { path: dir, filename: 'app-[contenthash].js' };
    const plugin = plugins.webpack(options);
    return new Promise((resolve, reject) => {
      const compiler = webpack({
        mode: 'production',
        context: root,
        entry: input,
        output,
        plugins: [plugin],
      });
      compiler.run((/** @type {any} */ error, /** @type {any} */ stats) => {
        const failure = error ?? stats?.compilation.errors[0];
        compiler.close(() => (failure ? reject(failure) : resolve(stats)));
      });
    });
  },
};

/** @param {string} name @param {Partial<import('../../dist/types/plugin.js').SpandrelPluginOptions>} options */
async function buildWith(name, options) {
  const dir = path.join(folder, `dist-${name}-${Math.random().toString(36).slice(2)}`);
  const job = { input: path.join(folder, 'src/app.js'), dir, root: folder };
  const failure = await BUNDLERS[name]?.(job, { release: '1.4.2', project: 'shop', ...options }).then(
    () => undefined,
    (/** @type {unknown} */ error) => error,
  );
  const files = await readdir(dir, { recursive: true }).catch(() => /** @type {string[]} */ ([]));
  const script = files.find((file) => file.endsWith('.js')) ?? '';
  const code = script && (await readFile(path.join(dir, script), 'utf8'));
  return { failure, files, script: script.split(path.sep).join('/'), code };
}

function memory() {
  /** @type {Map<string, Uint8Array<ArrayBuffer>>} */
  const objects = new Map();
  return {
    objects,
    /** @param {string} key @param {Uint8Array<ArrayBuffer>} bytes */
    put: async (key, bytes) => {
      objects.set(key, bytes);
      return /** @type {const} */ ('created');
    },
    /** @param {string} key */
    get: async (key) => objects.get(key),
    list: async () => ({ objects: [...objects].map(([key, { length: size }]) => ({ key, size })) }),
  };
}

for (const name of Object.keys(BUNDLERS)) {
  test(`plugin: ${name}`, LIMIT, async () => {
    const storage = memory();
    const { failure, files, script, code } = await buildWith(name, { storage });
    assert.equal(failure, undefined);
    assert.deepEqual(
      files.filter((file) => file.endsWith('.map')),
      [],
      'nothing to publish by mistake',
    );
    assert.doesNotMatch(code, /sourceMappingURL/);
    const id = /^\/\/# debugId=([\da-f-]{36})$/m.exec(code)?.[1];
    assert.deepEqual([...storage.objects.keys()], [`maps/shop/1.4.2/${script}~${id}.map.gz`]);

    const world = vm.createContext({});
    const url = `https://shop.example/${script}`;
    new vm.Script(code, { filename: url }).runInContext(world);
    const { shop } = /** @type {any} */ (world);
    assert.equal(shop.release, '1.4.2');
    let stack = '';
    try {
      shop.fails();
    } catch (error) {
      stack = String(/** @type {Error} */ (error).stack);
    }
    const maps = createMapCache({ storage });
    const { lines } = await resolveStack(maps, stack, { project: 'shop', release: '1.4.2' });
    const { source, line, context } = lines.find((/** @type {any} */ one) => one.place)?.place ?? {};
    const wanted = CHECK_OUT.split('\n').findIndex((text) => text.includes('address.street')) + 1;
    assert.deepEqual([source, line], ['src/check-out.js', wanted], stack);
    assert.ok(context?.lines.some((/** @type {string} */ text) => text.includes('address.street')));
  });

  test(`plugin: ${name}, where the store refuses: the build fails, and has no maps`, LIMIT, async () => {
    const storage = {
      put: async () => {
        throw new Error('the store refuses');
      },
    };
    const { failure, files } = await buildWith(name, { storage });
    assert.match(String(failure), /source maps were not uploaded: .*the store refuses/);
    assert.ok(!files.some((file) => file.endsWith('.map')));
  });

  test(`plugin: ${name}, without a store: no maps, and the release`, LIMIT, async () => {
    const { failure, files, code } = await buildWith(name, {});
    assert.equal(failure, undefined);
    assert.ok(!files.some((file) => file.endsWith('.map')));
    assert.match(code, /1\.4\.2/);
    assert.doesNotMatch(code, /debugId/);
  });
}

test('plugin: options that cannot be meant are named', () => {
  /** @type {[options: any, message: RegExp][]} */
  const cases = [
    [{}, /option "release" got undefined; it takes 1 to 128 letters.*SPANDREL_RELEASE/],
    [{ release: 'a b' }, /option "release" got "a b"/],
    [{ release: '1', project: '/' }, /option "project" got "\/"/],
    [{ release: '1', storage: {} }, /option "storage" got object; it takes s3\(\)/],
    [{ release: '1', keepMaps: 1 }, /option "keepMaps" got number/],
  ];
  for (const [options, message] of cases) assert.throws(() => plugins.rollup(options), message);
});
