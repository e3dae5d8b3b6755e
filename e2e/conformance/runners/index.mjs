import { fileURLToPath } from 'node:url';
import { startBrowser } from './browser.mjs';
import { bun, deno, startProcess } from './process.mjs';
import { startWorkerd } from './workerd.mjs';

/**
 * @typedef {object} Runtime
 * @property {string} origin Of its server; of the page, in a browser.
 * @property {() => string} said What the program printed.
 * @property {(slug: string) => Promise<any>} [play] Where there is no server to ask.
 * @property {() => Promise<string[]>} [takeTroubles] Likewise.
 * @property {(cron: string) => Promise<unknown>} [scheduled]
 * @property {(queue: string, messages: any[]) => Promise<unknown>} [queue]
 * @property {{ arrived(): Promise<import('../case.mjs').Arrival[]>, clear(): Promise<void> }} [r2]
 * @property {() => Promise<void>} close
 *
 * @typedef {object} Runner
 * @property {import('../case.mjs').RuntimeName} name
 * @property {string} entry The file of `inside/`.
 * @property {(file: string, facts: { pageUrl: string, queues: string[] }) => Promise<Runtime>} start
 */

const edgeRuntimeServer = fileURLToPath(new URL('edge-runtime-server.mjs', import.meta.url));

/** In the order of the table. @type {readonly Runner[]} */
export const RUNNERS = [
  { name: 'node', entry: 'node', start: (file) => startProcess(process.execPath, [file]) },
  {
    name: 'deno',
    entry: 'deno',
    start: (file) => startProcess(deno(), ['run', '-A', '--no-config', '--no-lock', file]),
  },
  {
    name: 'bun',
    entry: 'bun',
    start: (file) => startProcess(bun(), ['run', file]),
  },
  {
    name: 'workerd',
    entry: 'workerd',
    start: (file, { queues }) => startWorkerd(file, ['nodejs_als'], queues),
  },
  { name: 'workerd-bare', entry: 'workerd', start: (file, { queues }) => startWorkerd(file, [], queues) },
  {
    name: 'edge-runtime',
    entry: 'edge-runtime',
    start: (file) => startProcess(process.execPath, [edgeRuntimeServer, file]),
  },
  { name: 'chromium', entry: 'page', start: (_file, { pageUrl }) => startBrowser('chromium', pageUrl) },
  { name: 'firefox', entry: 'page', start: (_file, { pageUrl }) => startBrowser('firefox', pageUrl) },
];
