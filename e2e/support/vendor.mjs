// Global set-up: what a user's bundler would bring to the test pages, as modules for their import maps.
import { fileURLToPath } from 'node:url';
import { nodeResolve as resolve } from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';

/** Parts of OpenTelemetry's browser package. */
export const BROWSER_PARTS = [
  ...['console', 'errors', 'navigation', 'navigation-timing', 'resource-timing', 'user-action', 'web-vitals'],
];

const MODULES = {
  '@opentelemetry/api': 'api',
  '@opentelemetry/sdk-trace-web': 'sdk-trace-web',
  '@opentelemetry/otlp-transformer': 'otlp-transformer',
  '@opentelemetry/instrumentation': 'instrumentation',
  '@opentelemetry/resources': 'resources',
  '@opentelemetry/sdk-logs': 'sdk-logs',
  '@opentelemetry/instrumentation-fetch': 'instrumentation-fetch',
  '@opentelemetry/instrumentation-xml-http-request': 'instrumentation-xhr',
  fflate: 'fflate',
  'idb-keyval': 'idb-keyval',
  'web-vitals': 'web-vitals',
  // What ours is compared with.
  'web-vitals/attribution': 'web-vitals-attribution',
  '@opentelemetry/instrumentation-document-load': 'document-load',
  ...Object.fromEntries(
    BROWSER_PARTS.map((name) => [
      `@opentelemetry/browser-instrumentation/experimental/${name}`,
      `browser-${name}`,
    ]),
  ),
};

/** Where the bundles lie; served at {@link VENDOR_PATH}. */
export const VENDOR_FOLDER = new URL('../../.cache/e2e-vendor/', import.meta.url);
export const VENDOR_PATH = '/vendor/e2e/';

/** The import map of the bundler entries' pages: the built files themselves, beside their peers. */
export const IMPORT_MAP = {
  imports: {
    spandrel: '/dist/index.js',
    'spandrel/events': '/dist/events.js',
    'spandrel/logs': '/dist/logs.js',
    'spandrel/otlp': '/dist/otlp.js',
    ...Object.fromEntries(
      Object.entries(MODULES).map(([module, name]) => [module, `${VENDOR_PATH}${name}.js`]),
    ),
  },
};

/** Bundles them together, so that all share one copy of the API. */
export default async function buildVendor() {
  const bundle = await rollup({
    input: Object.fromEntries(Object.entries(MODULES).map(([module, name]) => [name, module])),
    plugins: [resolve({ browser: true })],
    preserveEntrySignatures: 'strict',
    onwarn: () => {},
  });
  await bundle.write({ dir: fileURLToPath(VENDOR_FOLDER), format: 'es', chunkFileNames: '[name]-[hash].js' });
  await bundle.close();
}
