/** The servers of `inside/`, each in its own runtime. */
import { mkdir, writeFile } from 'node:fs/promises';
import { nodeResolve as resolve } from '@rollup/plugin-node-resolve';
import { Log, LogLevel, Miniflare } from 'miniflare';
import { rollup } from 'rollup';
import { bun, deno, startProcess } from '../conformance/runners/process.mjs';

const root = new URL('../../', import.meta.url);

/**
 * A server of `inside/` with the built `spandrel/server`, in one file.
 *
 * @param {string} name
 * @returns {Promise<string>} The path.
 */
export async function bundle(name) {
  const bundled = await rollup({
    input: new URL(`inside/${name}.mjs`, import.meta.url).pathname,
    external: /^(node:|express$)/,
    plugins: [
      {
        name: 'built',
        resolveId: (id) => (id === 'spandrel/server' ? new URL('dist/server.js', root).pathname : null),
      },
      resolve({ browser: true }),
    ],
    onwarn: () => {},
  });
  const { output } = await bundled.generate({ format: 'es', inlineDynamicImports: true });
  await bundled.close();
  await mkdir(new URL('.cache/adapters/', root), { recursive: true });
  const file = new URL(`.cache/adapters/${name}.mjs`, root);
  await writeFile(file, output[0].code);
  return file.pathname;
}

/** @typedef {{ origin: string, said: () => string, close: () => Promise<void> }} Running */

/** @param {string} file @returns {Promise<Running>} */
const inNode = (file) => startProcess(process.execPath, [file]);

/** @type {Record<string, (file: string) => Promise<Running>>} */
export const RUNTIMES = {
  node: inNode,
  express: inNode,
  hono: inNode,
  deno: (file) => startProcess(deno(), ['run', '--allow-net', '--no-config', '--no-lock', file]),
  bun: (file) => startProcess(bun(), ['run', file]),
  workerd: startWorkerd,
};

/** @param {string} file @param {object} [options] More of Miniflare's. @returns {Promise<Running>} */
export async function startWorkerd(file, options = {}) {
  let said = '';
  const miniflare = new Miniflare({
    cf: false,
    log: new Log(LogLevel.ERROR),
    compatibilityDate: '2026-04-01',
    modules: true,
    scriptPath: file,
    /** @param {import('node:stream').Readable[]} streams */
    handleRuntimeStdio(...streams) {
      for (const stream of streams) {
        stream.on('data', (/** @type {Buffer} */ text) => {
          said += text;
        });
      }
    },
    // Its own socket: Miniflare's proxy would have a say in headers and bodies.
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
    ...options,
  });
  try {
    await miniflare.ready;
    return {
      origin: (await miniflare.unsafeGetDirectURL()).origin,
      said: () => said,
      close: () => miniflare.dispose(),
    };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}
