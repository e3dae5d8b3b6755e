/** OpenTelemetry's exporter in a page: with a key where the page is at home, and never from elsewhere. */
import { type Host, startHost } from '../demo/host.mjs';
import { createIngest, nodeListener } from '../dist/server.js';
import type { Storage } from '../src/server.js';
import { bundleExporter } from './otlp-in/bundle.mjs';
import { expect, test } from './support/fixtures.js';

declare global {
  var send: (url: string, key?: string) => Promise<string>;
}

const KEY = 'key-of-the-operator-0123456789';
const objects = new Map<string, Uint8Array>();
const storage: Storage = {
  put: async (key, bytes) => {
    objects.set(key, bytes);
    return 'created';
  },
  head: async () => undefined,
  list: async () => ({ objects: [] }),
  get: async () => undefined,
  delete: async () => undefined,
};

let host: Host;
let elsewhere: Host;
test.beforeAll(async () => {
  [host, elsewhere] = await Promise.all([startHost(), startHost()]);
  const code = await bundleExporter();
  const origins = [host.origin, elsewhere.origin];
  const ingest = createIngest({ storage, allowedOrigins: origins, otlp: { keys: [KEY] } });
  host.route('/otlp/v1/traces', nodeListener(ingest));
  for (const one of [host, elsewhere]) {
    one.page('/exporter.js', code, { type: 'text/javascript' });
    one.page(
      '/exporter',
      '<!doctype html><title>x</title><link rel="icon" href="/icon.svg"><script type="module" src="/exporter.js"></script>',
    );
  }
});
test.afterAll(() => Promise.all([host.close(), elsewhere.close()]));
test.beforeEach(() => objects.clear());

test('otlp in: a page at home needs the key as everybody does', async ({ page, allowConsole }) => {
  allowConsole(/401/);
  await page.goto(`${host.origin}/exporter`);
  await page.waitForFunction(() => 'send' in globalThis);
  const url = `${host.origin}/otlp/v1/traces`;
  expect(await page.evaluate(([to = '']) => send(to), [url])).toBe('refused');
  expect(await page.evaluate(([to = '']) => send(to, 'default'), [url])).toBe('refused');
  expect(objects.size).toBe(0);
  expect(await page.evaluate(([to = '', key]) => send(to, key), [url, KEY])).toBe('stored');
  expect(objects.size).toBe(1);
});

test('otlp in: a page of another origin cannot use a key, though its origin may ask for uploads', async ({
  page,
  allowConsole,
}) => {
  allowConsole(/CORS|ERR_FAILED|Failed to fetch|405/i);
  await page.goto(`${elsewhere.origin}/exporter`);
  await page.waitForFunction(() => 'send' in globalThis);
  const url = `${host.origin}/otlp/v1/traces`;
  const answer = await page.evaluate(
    ([to = '', key = '']) =>
      fetch(to, { method: 'POST', body: '{}', headers: { authorization: `Bearer ${key}` } }).then(
        () => 'read',
        () => 'refused',
      ),
    [url, KEY],
  );
  expect(answer).toBe('refused');
  expect(objects.size).toBe(0);
});
