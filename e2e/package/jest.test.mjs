// The packed package under Jest, which finds modules by itself and has `import` only behind a flag: as it comes, and with
// the flag; in its Node and, as it is told to for pages, in jsdom.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { ensureTools } from '../support/tools.mjs';
import { install } from './installed.mjs';

const run = promisify(execFile);
const LIMIT = { timeout: 300_000 };

/** What an app's own test may do, with the entries in `modules`. */
const BODY = `
const { page, edge, otlp, events, server, forward } = modules;

test('the entries are there', () => {
  expect([page.start, edge.instrument, otlp.otlp, events.EventSpans, server.createIngest, forward.forward].map((one) => typeof one))
    .toEqual(['function', 'function', 'function', 'function', 'function', 'function']);
  expect(page.TraceBatchProcessor).toBe(edge.TraceBatchProcessor);
});

const sender = {
  send: async (objects) => ({ results: objects.map(({ key }) => ({ key, status: 'sent', spanCount: 1, rejectedCount: 0 })), requestCount: 1, byteCount: 0 }),
};
const storageThat = (get) => ({
  list: async (prefix) => ({ objects: prefix.startsWith('otlp') ? [{ key: 'otlp/v1/shop/production/traces_1.json.gz', size: 300 }] : [] }),
  put: async () => 'created',
  delete: async () => {},
  get,
});

test('an object that is too large is told apart', async () => {
  const storage = storageThat(async () => { throw new server.StorageError('large', { tooLarge: true }); });
  const { quarantined } = await forward.forward({ storage, sender, after: 'delete' });
  expect(quarantined).toEqual({ 'too-large': 1 });
});

test('a store that fails once is asked again', async () => {
  let asked = 0;
  const storage = storageThat(async () => { if (asked++ === 0) throw new server.StorageError('down', { httpStatus: 503 }); return new Uint8Array(300); });
  const { sent } = await forward.forward({ storage, sender, after: 'delete' });
  expect([sent, asked]).toEqual([1, 2]);
});
`;

const NODE_ONLY = `
test('a handler is instrumented', async () => {
  const sent = [];
  const handle = edge.instrument(async () => new Response('fine'), {
    service: 'shop',
    destination: otlp.otlp({ url: 'http://127.0.0.1:9' }),
    onFlush: (result) => void sent.push(result),
  });
  expect(await (await handle(new Request('http://localhost/'))).text()).toBe('fine');
});

test('what inflates to more than it may is told apart, with zlib of Node', async () => {
  const { gunzipSync, gzipSync } = zlib;
  const batch = forward.createBatchSender({
    url: 'http://127.0.0.1:9',
    maxInflatedBytes: 65_536,
    gunzip: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
  });
  const bytes = new Uint8Array(gzipSync(Buffer.alloc(1 << 20)));
  const { results } = await batch.send([{ key: 'otlp/v1/shop/production/traces_1.json.gz', bytes }]);
  expect(results.map(({ status, reason }) => [status, reason])).toEqual([['quarantine', 'too-large']]);
});
`;

/** For jsdom, which lacks what servers have. */
const PAGE = `
test('what an app imports for its pages is there', () => {
  const { start, bucket } = require('spandrel');
  expect(typeof start).toBe('function');
  const { otlp } = require('spandrel/otlp');
  const { EventSpans } = require('spandrel/events');
  for (const destination of [bucket({ endpoint: 'http://localhost/spandrel' }), otlp({ url: 'http://localhost/' })]) {
    expect(typeof destination.open).toBe('function');
  }
  expect(typeof EventSpans).toBe('function');
});
`;

const NAMES = {
  page: '',
  edge: '/edge',
  otlp: '/otlp',
  events: '/events',
  server: '/server',
  forward: '/forward',
};
const required = Object.entries(NAMES).map(([name, entry]) => `${name}: require('spandrel${entry}')`);
const REQUIRED = `const modules = { ${required.join(', ')} };\n`;
const imported = Object.entries(NAMES).map(
  ([name, entry]) => `import * as ${name}_ from 'spandrel${entry}';`,
);
const IMPORTED = `${imported.join('\n')}
import * as zlib from 'node:zlib';
const modules = { ${Object.keys(NAMES).map((name) => `${name}: ${name}_`)} };\n`;

let jest = '';
/** @type {Awaited<ReturnType<typeof install>>} */
let installed;
before(async () => {
  const tools = ensureTools({ jest: '30.5.2', 'jest-environment-jsdom': '30.5.2' });
  jest = path.join(tools, 'node_modules/jest/bin/jest.js');
  installed = await install();
  const files = {
    'required/all.test.js': `const zlib = require('node:zlib');\n${REQUIRED}${BODY}${NODE_ONLY}`,
    'page/all.test.js': `/** @jest-environment ${path.join(tools, 'node_modules/jest-environment-jsdom')} */\n${PAGE}`,
    'imported/all.test.mjs': `${IMPORTED}${BODY}${NODE_ONLY}`,
  };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(installed.folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(path.join(path.dirname(file), 'package.json'), '{ "private": true }\n');
    await writeFile(file, text);
  }
}, LIMIT);
after(() => installed?.remove());

for (const [name, folder, flags] of /** @type {const} */ ([
  ['as it comes, require()', 'required', []],
  ['with --experimental-vm-modules, require()', 'required', ['--experimental-vm-modules']],
  ['with --experimental-vm-modules, import', 'imported', ['--experimental-vm-modules']],
  ['in jsdom, require()', 'page', []],
])) {
  test(`jest: ${name}`, LIMIT, async () => {
    const args = [...flags, jest, '--ci', '--runInBand', '--rootDir', path.join(installed.folder, folder)];
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    await run(process.execPath, args, { cwd: path.join(installed.folder, folder), env }).catch((error) =>
      assert.fail(`${error.stdout}\n${error.stderr}`),
    );
  });
}
