// Runs a bench's measurements in real Chromium: the engine that matters is the browser's.
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { nodeResolve as resolve } from '@rollup/plugin-node-resolve';
import { chromium } from 'playwright';
import { rollup } from 'rollup';

const DEBIAN_CHROMIUM = '/usr/bin/chromium';

export const launchChromium = () =>
  chromium.launch({
    args: ['--no-sandbox'],
    ...(existsSync(DEBIAN_CHROMIUM) && { executablePath: DEBIAN_CHROMIUM }),
  });

/**
 * Serves the module at `file`, bundled, as `/bench.js` of an empty page; any other request is answered with that page.
 *
 * @template T
 * @param {string} file
 * @param {(bench: { name: string, open: () => Promise<import('playwright').Page> }) => Promise<T>} measure given
 *   the browser's name, and what opens one more page, with storage of its own.
 */
export async function withChromium(file, measure) {
  const script = await bundle(file);
  const server = createServer((request, response) => {
    const isScript = request.url === '/bench.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><link rel="icon" href="data:,"><title>bench</title>');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const browser = await launchChromium();
  try {
    return await measure({
      name: `Chromium ${browser.version().split('.')[0]}`,
      async open() {
        const context = await browser.newContext();
        const page = await context.newPage();
        await page.goto(`http://127.0.0.1:${port}/`);
        return page;
      },
    });
  } finally {
    await browser.close();
    server.close();
  }
}

/**
 * Bundles the module at `file` and calls its exported functions in one page.
 *
 * @param {string} file
 * @param {Record<string, unknown[]>} calls arguments by the name of the exported function.
 * @returns {Promise<{ name: string, results: Record<string, any> }>} the browser's name, and each call's result.
 */
export function inChromium(file, calls) {
  return withChromium(file, async ({ name, open }) => {
    const page = await open();
    const results = await page.evaluate(async (wanted) => {
      const measure = await import('/bench.js');
      const measured = {};
      for (const [name, args] of Object.entries(wanted)) measured[name] = await measure[name](...args);
      return measured;
    }, calls);
    return { name, results };
  });
}

async function bundle(input) {
  const built = await rollup({ input, plugins: [resolve({ browser: true })], onLog: () => {} });
  const { output } = await built.generate({ format: 'es' });
  await built.close();
  return output[0].code;
}
