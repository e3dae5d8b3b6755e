// A Worker in a process of its own, whose CPU time is read from the system.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { nodeResolve as resolve } from '@rollup/plugin-node-resolve';
import { Log, LogLevel, Miniflare } from 'miniflare';
import { rollup } from 'rollup';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK']));

/**
 * @param {string} input The Worker's file.
 * @param {object} [options] More of Miniflare's.
 * @returns {Promise<{ url: string, cpuMillis: () => number, stop: () => Promise<void> }>}
 */
export async function startWorkerd(input, options = {}) {
  const before = new Set(workerdPids());
  const bundled = await rollup({ input, plugins: [resolve({ browser: true })], onwarn: () => {} });
  const { output } = await bundled.generate({ format: 'es', inlineDynamicImports: true });
  await bundled.close();
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    cf: false,
    log: new Log(LogLevel.ERROR),
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: output[0].code }],
    compatibilityDate: '2026-04-01',
    ...options,
  });
  const url = String(await miniflare.ready);
  const pid = workerdPids().find((one) => !before.has(one));
  return {
    url,
    cpuMillis: () => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1_000;
    },
    stop: () => miniflare.dispose(),
  };
}

/** Milliseconds of this process, its threads included. */
export function ownCpuMillis() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Processes called `workerd` below this one. */
function workerdPids() {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      return stat.includes('(workerd)') && Number(stat.split(') ')[1]?.split(' ')[1]) === process.pid;
    } catch {
      return false;
    }
  });
}

export const median = (/** @type {number[]} */ numbers) =>
  [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
