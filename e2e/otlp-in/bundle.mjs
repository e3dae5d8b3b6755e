import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeResolve as resolve } from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';
import { ensureTool } from '../support/tools.mjs';

/** @returns {Promise<string>} `page.mjs` as a bundler for browsers makes it. */
export async function bundleExporter() {
  const modules = path.dirname(
    path.dirname(ensureTool('@opentelemetry/exporter-trace-otlp-http', '0.223.0')),
  );
  const bundle = await rollup({
    input: fileURLToPath(new URL('page.mjs', import.meta.url)),
    plugins: [resolve({ browser: true, modulePaths: [modules] })],
    onwarn: () => {},
  });
  const { output } = await bundle.generate({ format: 'es', inlineDynamicImports: true });
  await bundle.close();
  return output[0].code;
}
