// The built package in what tests take for a page: jsdom, which has no `fetch`, and happy-dom, which has one. Nothing is
// thrown into the app that is tested, nothing is left that keeps its process, and its log gets a line at most.
//
// Tried: the script by a tag, in the DOM's own window; imported, beside what of the DOM Node lacks (as global-jsdom does
// it), and with all that the DOM has in place of Node's (as Vitest does it); each with `fetch`, and without.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ensureTool } from '../support/tools.mjs';

const LIMIT = { timeout: 300_000 };
const root = fileURLToPath(new URL('../../', import.meta.url));
const dist = (/** @type {string} */ name) =>
  JSON.stringify(new URL(`../../dist/${name}`, import.meta.url).href);
const HTML = '<!doctype html><title>Shop</title><body><button>Buy</button></body>';

/** Makes `window` at `url`, whose scripts run and whose console is Node's. */
const DOMS = {
  jsdom: `
    const { JSDOM, VirtualConsole } = require('jsdom');
    const virtualConsole = new VirtualConsole();
    for (const name of ['debug', 'error', 'info', 'log', 'warn']) virtualConsole.on(name, console[name]);
    virtualConsole.on('jsdomError', console.error);
    const scripts = { runScripts: 'dangerously', virtualConsole };
    const { window } = new JSDOM('${HTML}', { url, pretendToBeVisual: true, ...scripts });
    const close = () => window.close();`,
  'happy-dom': `
    const { Window } = require('happy-dom');
    const settings = { enableJavaScriptEvaluation: true, suppressInsecureJavaScriptEnvironmentWarning: true };
    const window = new Window({ url, console, settings });
    window.document.write('${HTML}');
    // Its beacons reject with nobody to hear where a window is closed at once.
    const close = () => window.happyDOM.waitUntilComplete().then(() => window.happyDOM.close());`,
};

/** The DOM's names, on the window and above it, but for those of the language and what Node keeps for itself. */
const NAMES = `
    const kept = require('node:vm').runInNewContext('Object.getOwnPropertyNames(globalThis)');
    const own = new Set([...kept, ...Object.getOwnPropertyNames(Object.prototype), 'console', 'process', 'global', 'Buffer', hasFetch ? '' : 'fetch']);
    const names = new Set();
    for (let one = window; one; one = Object.getPrototypeOf(one)) {
      for (const name of Object.getOwnPropertyNames(one)) if (!own.has(name)) names.add(name);
    }`;
const START = `
    const { start } = await import(${dist('index.js')});
    const page = globalThis;
    const spandrel = start({ service: 'shop', endpoint: url + 'spandrel' });`;

/** Makes `spandrel` and `page`, whose globals it has. */
const WAYS = {
  'by a tag': `
    const page = window;
    const tag = window.document.createElement('script');
    tag.setAttribute('data-service', 'shop');
    tag.setAttribute('data-endpoint', url + 'spandrel');
    // happy-dom makes no globals of a script's variables.
    const code = require('node:fs').readFileSync(new URL(${dist('script.js')}), 'utf8');
    tag.textContent = code.replace(/^\\/\\/# sourceMappingURL.*/m, 'window.spandrel = spandrel');
    window.document.head.append(tag);
    const spandrel = window.spandrel.instance;`,
  'imported, beside what Node has': `${NAMES}
    for (const name of names) {
      if (name in globalThis) continue;
      Object.defineProperty(globalThis, name, { value: window[name], configurable: true, writable: true });
    }${START}`,
  'imported, in place of what Node has': `${NAMES}
    for (const name of names) {
      const given = window[name];
      // Vitest leaves these.
      if (/^(performance|crypto|queueMicrotask|structuredClone|atob|btoa)$|^(set|clear)[TI]/.test(name)) continue;
      // Not what is a class.
      const value = typeof given === 'function' && /^[a-z]/.test(name) ? given.bind(window) : given;
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
    for (const name of ['window', 'self', 'top', 'parent']) globalThis[name] = globalThis;${START}`,
};

/** What an app may do, and its tests to it. */
const USE = `
    spandrel.tracer.startSpan('a').end();
    const inside = spandrel.tracer.startActiveSpan('b', (span) => { span.end(); return 7; });
    page.document.querySelector('button').dispatchEvent(new window.MouseEvent('click', { bubbles: true }));
    page.history.pushState(null, '', '/paid');
    const answered = hasFetch && page.fetch ? await (await page.fetch(url + 'stock')).text() : '{}';
    spandrel.recordException(new Error('caught'));
    spandrel.setConsent('granted');
    spandrel.subscribe(() => {})();
    spandrel.mark();
    const { errors } = spandrel.stats();
    const flushed = await spandrel.flush();
    await spandrel.shutdown();`;

/** Runs a module in a process of its own, and waits for that to end by itself. @param {string} code */
async function run(code) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { cwd: root });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const ended = new Promise((resolve) => child.on('exit', resolve));
  // What hangs does so for ever: this only ends the test.
  const timer = setTimeout(() => child.kill(), 60_000);
  const exitCode = await ended;
  clearTimeout(timer);
  return { exitCode, said: said.trim() };
}

// Any of its paths: the app's own, and that of an endpoint which is not set up.
const server = createServer((_, response) =>
  response.setHeader('content-type', 'application/json').end('{}'),
);
let url = '';
before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/`;
});
after(() => void server.close());

for (const name of /** @type {const} */ (['jsdom', 'happy-dom'])) {
  for (const [way, begin] of Object.entries(WAYS)) {
    for (const hasFetch of [true, false]) {
      const what = `${name}, ${way}, ${hasFetch ? 'fetch as it is there' : 'without fetch'}`;
      test(`test DOM: ${what}: nothing is thrown, and a line is printed at most`, LIMIT, async () => {
        const { exitCode, said } = await run(`
    import { createRequire } from 'node:module';
    const require = createRequire(${JSON.stringify(path.join(ensureTool(name), 'index.js'))});
    const url = '${url}';
    const hasFetch = ${hasFetch};
    ${DOMS[name]}
    const missing = { value: undefined, configurable: true, writable: true };
    if (!hasFetch) for (const one of [globalThis, window]) Object.defineProperty(one, 'fetch', missing);
    ${begin}
    ${USE}
    await close();
    console.log(JSON.stringify([inside, answered, errors.map(({ kind }) => kind), flushed]));`);
        assert.equal(exitCode, 0, said);
        const lines = said.split('\n');
        const result = JSON.parse(lines.pop() ?? '');
        assert.deepEqual(result.slice(0, 2), [7, '{}']);
        assert.ok(lines.length <= 1, said);
        if (!hasFetch) assert.deepEqual(lines, ['spandrel: nothing is traced: fetch is missing or broken']);
      });
    }
  }
}
