// Stages 2 and 3 against JsonTraceSerializer and against each other, in Node and in Chromium.
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import resolve from '@rollup/plugin-node-resolve';
import { chromium } from 'playwright';
import { rollup } from 'rollup';
import { measureCompression, measureEncoding } from './encode-measure.mjs';

const SPAN_COUNTS = [100, 1_000, 5_000];
const KIBIBYTES = [1, 4, 8, 16, 32, 64, 256];
const DEBIAN_CHROMIUM = '/usr/bin/chromium';

export async function bench() {
  const browser = await inChromium();
  return {
    'encode, Node': await measureEncoding(SPAN_COUNTS),
    [`encode, ${browser.name}`]: browser.encoding,
    'compress, Node': await measureCompression(KIBIBYTES),
    [`compress, ${browser.name}`]: browser.compression,
  };
}

async function inChromium() {
  const script = await bundle(fileURLToPath(new URL('encode-measure.mjs', import.meta.url)));
  const server = createServer((request, response) => {
    const isScript = request.url === '/bench.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><link rel="icon" href="data:,"><title>bench</title>');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const browser = await chromium.launch({
    args: ['--no-sandbox'],
    ...(existsSync(DEBIAN_CHROMIUM) && { executablePath: DEBIAN_CHROMIUM }),
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const measured = await page.evaluate(
      async ({ counts, kibibytes }) => {
        const measure = await import('/bench.js');
        return {
          encoding: await measure.measureEncoding(counts),
          compression: await measure.measureCompression(kibibytes),
        };
      },
      { counts: SPAN_COUNTS, kibibytes: KIBIBYTES },
    );
    return { name: `Chromium ${browser.version().split('.')[0]}`, ...measured };
  } finally {
    await browser.close();
    server.close();
  }
}

async function bundle(input) {
  const built = await rollup({ input, plugins: [resolve({ browser: true })], onLog: () => {} });
  const { output } = await built.generate({ format: 'es' });
  await built.close();
  return output[0].code;
}
