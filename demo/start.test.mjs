import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from './testing/client.mjs';

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/** @param {number | undefined} pid */
const childrenOf = (pid) =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child ?? 0);

const isRunning = (/** @type {number} */ pid) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Runs Node until its output has `mark`. @param {string[]} args @param {RegExp} mark */
async function runUntil(args, mark) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await until(() => mark.test(output) || child.exitCode !== null);
  return { child, exited, output: () => output };
}

/** Starting workerd takes some 15 s on a machine that has much else to do. */
const HANGS_MILLIS = 120_000;

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  test(`start: says where to look, and ${signal} leaves no process`, { timeout: HANGS_MILLIS }, async () => {
    const { child, exited, output } = await runUntil([here('start.mjs')], /Ctrl\+C/);
    const shop = /Shop\s+(http:\S+)/.exec(output())?.[1] ?? '';
    const viewer = /Traces\s+(http:\S+)/.exec(output())?.[1] ?? '';
    assert.equal((await fetch(new URL('/api/products', shop))).status, 200);
    assert.equal((await fetch(new URL('api/objects', viewer))).status, 200);
    const children = childrenOf(child.pid);
    // `ps` itself is a child of this test, and not of the demo.
    assert.equal(children.length, 1, 'workerd');
    child.kill(signal);
    await exited;
    await until(() => !children.some(isRunning));
  });

test('host: close() leaves no process and nothing that keeps one alive', {
  timeout: HANGS_MILLIS,
}, async () => {
  const { child, exited, output } = await runUntil([here('testing/hanging-host.mjs')], /up/);
  const children = childrenOf(child.pid);
  assert.equal(children.length, 1, 'workerd');
  child.kill('SIGUSR2');
  const [code] = await exited;
  assert.equal(code, 0);
  assert.match(output(), /closed/);
  assert.ok(!children.some(isRunning));
});
