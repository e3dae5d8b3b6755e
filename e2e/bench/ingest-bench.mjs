// What an URL costs the endpoint: signed by hand, by aws4fetch, by `s3()`, and as one of an exchange, in Node and in
// workerd. Durations are of the whole process, WebCrypto's threads included.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeResolve as resolve } from '@rollup/plugin-node-resolve';
import { Log, LogLevel, Miniflare } from 'miniflare';
import { rollup } from 'rollup';
import { check, issue, WAYS } from './ingest-measure.mjs';

const BATCHES = [1, 8];
const ROUNDS = 5;
const URLS = 4_000;
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK']));

export async function bench() {
  await check();
  const inNode = await measure(issue, () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  });
  const worker = await start();
  try {
    const inWorkerd = await measure(async (way, batch, urls) => {
      const query = new URLSearchParams({ way, batch: String(batch), urls: String(urls) });
      const response = await fetch(`${worker.url}?${query}`);
      if ((await response.text()) !== 'ok') throw new Error(`HTTP ${response.status}`);
    }, worker.cpuMillis);
    return { 'URLs, Node': inNode, 'URLs, workerd': inWorkerd };
  } finally {
    await worker.stop();
  }
}

/**
 * @param {(way: string, batch: number, urls: number) => Promise<unknown>} run
 * @param {() => number} cpuMillis
 */
async function measure(run, cpuMillis) {
  const cases = BATCHES.flatMap((batch) => Object.keys(WAYS).map((way) => ({ way, batch })));
  /** @type {{ cpu: number, wall: number }[][]} */
  const taken = cases.map(() => []);
  for (const { way, batch } of cases) await run(way, batch, URLS / 4);
  // In turns, so that what else the machine does falls on all of them.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { way, batch }] of cases.entries()) {
      const [cpu, wall] = [cpuMillis(), performance.now()];
      await run(way, batch, URLS);
      taken[index]?.push({ cpu: cpuMillis() - cpu, wall: performance.now() - wall });
    }
  }
  return cases.map(({ way, batch }, index) => {
    const rounds = taken[index] ?? [];
    return {
      way,
      'at once': batch,
      'µs CPU per URL': (median(rounds.map(({ cpu }) => cpu)) / URLS) * 1_000,
      'URLs per second': Math.round(URLS / (median(rounds.map(({ wall }) => wall)) / 1_000)),
    };
  });
}

async function start() {
  const before = new Set(workerdPids());
  const bundled = await rollup({
    input: fileURLToPath(new URL('ingest-worker.mjs', import.meta.url)),
    plugins: [resolve({ browser: true })],
    onwarn: () => {},
  });
  const { output } = await bundled.generate({ format: 'es' });
  await bundled.close();
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    cf: false,
    log: new Log(LogLevel.ERROR),
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: output[0].code }],
    compatibilityDate: '2026-04-01',
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

const median = (/** @type {number[]} */ numbers) =>
  [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
