// What a page downloads, in bytes: bundled as a user's bundler would, minified, compressed.
import { readFile } from 'node:fs/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { nodeResolve as resolve } from '@rollup/plugin-node-resolve';
import terserModule from '@rollup/plugin-terser';
import { rollup } from 'rollup';

/**
 * Budgets in bytes after Brotli, just above what is shipped. Whoever raises one says why in the commit. The first file
 * of the script tag is what must run early; the second is asked for when the page is idle after its load, and compresses
 * alone, so both are more than the one file that has all of it. Of `otlp` fflate's inflate is 2,300.
 *
 * @type {Record<string, number>}
 */
export const BUDGETS = {
  'exporter, processor and bucket': 21_600,
  'script tag, first file': 31_060,
  'script tag, both files': 44_550,
  'script tag, in one file': 42_000,
  'start through a bundler': 41_150,
  'stub, inlined': 455,
  'instrument and r2': 19_070,
  otlp: 4_750,
  EventSpans: 8_700,
};

/** Of the stub as it is, since it is in every page and pages are not all compressed. */
export const MAX_STUB_BYTES = 840;

/** Of the ES module, after Brotli: the one file of the script tag with the parts that an app's own OpenTelemetry takes. */
export const MAX_MODULE_BYTES = 42_700;

/** Its types are those of a CommonJS file, and it is none. */
const terser = /** @type {typeof terserModule.default} */ (/** @type {unknown} */ (terserModule));

/** @param {string} code @returns {import('rollup').Plugin} */
const entry = (code) => ({
  name: 'entry',
  resolveId: (id) => (id === 'entry' ? id : undefined),
  load: (id) => (id === 'entry' ? code : undefined),
});

/**
 * Bundles `code`, which imports from the built files.
 *
 * @param {string} code
 * @param {(id: string) => boolean} [external] Tells what the host page has anyway.
 * @param {import('rollup').RollupOptions} [options]
 */
export async function bundle(code, external = () => false, options = {}) {
  const built = await rollup({
    input: 'entry',
    external,
    plugins: [entry(code), resolve({ browser: true })],
    onwarn: () => {},
    ...options,
  });
  const { output } = await built.generate({
    format: 'es',
    inlineDynamicImports: true,
    plugins: [terser({ ecma: 2022, module: true, compress: { passes: 3 } })],
  });
  await built.close();
  return output[0].code;
}

/** Bytes of a file, as it is and compressed. @param {string} code */
export const weigh = (code) => ({
  minified: Buffer.byteLength(code),
  gzip: gzipSync(code, { level: 9 }).length,
  brotli: brotliCompressSync(code).length,
});

const dist = (/** @type {string} */ name) =>
  JSON.stringify(new URL(`../../dist/${name}`, import.meta.url).pathname);
const isOpenTelemetry = (/** @type {string} */ id) => id.startsWith('@opentelemetry/');

/** The sizes of what we ship, by name. @returns {Promise<Record<string, ReturnType<typeof weigh>>>} */
export async function measure() {
  const used = async (/** @type {string} */ names, /** @type {string} */ file) =>
    weigh(await bundle(`export { ${names} } from ${dist(file)};`, isOpenTelemetry));
  const built = (/** @type {string} */ name) =>
    readFile(new URL(`../../dist/${name}`, import.meta.url), 'utf8');
  const [first, late] = [weigh(await built('script.js')), weigh(await built('late.js'))];
  return {
    'exporter, processor and bucket': await used('TraceExporter, TraceBatchProcessor, bucket', 'index.js'),
    'script tag, first file': first,
    'script tag, both files': {
      minified: first.minified + late.minified,
      gzip: first.gzip + late.gzip,
      brotli: first.brotli + late.brotli,
    },
    'script tag, in one file': weigh(await built('spandrel.whole.js')),
    'start through a bundler': await used('start', 'index.js'),
    'stub, inlined': weigh(await built('stub.js')),
    'instrument and r2': await used('instrument, r2', 'edge.js'),
    otlp: await used('otlp', 'otlp.js'),
    EventSpans: await used('EventSpans', 'events.js'),
  };
}
