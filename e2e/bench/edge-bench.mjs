// What `instrument()` costs a Worker: CPU time of the workerd process per request, against the bare handler and against
// @microlabs/otel-cf-workers, with the same two spans of the handler's own; and its memory over many requests.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeResolve as resolve } from '@rollup/plugin-node-resolve';
import { Log, LogLevel, Miniflare } from 'miniflare';
import { rollup } from 'rollup';
import { bundle, weigh } from '../support/sizes.mjs';
import { ensureTool } from '../support/tools.mjs';

const VARIANTS = ['bare', 'spandrel-r2', 'spandrel-otlp', 'otel-cf-workers'];
const ROUNDS = 5;
const REQUESTS = 2_000;
const AT_ONCE = 20;
const MEMORY_REQUESTS = Number(process.env['BENCH_REQUESTS'] ?? 100_000);

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK']));

export async function bench() {
  const sink = await startSink();
  try {
    const started = [];
    for (const variant of VARIANTS) started.push(await start(variant, sink.url));
    const rows = await measureCpu(started, sink);
    await Promise.all(started.filter(({ variant }) => variant !== 'spandrel-r2').map(({ stop }) => stop()));
    const ours = started.find(({ variant }) => variant === 'spandrel-r2');
    const memory = await measureMemory(ours);
    await ours.stop();
    return {
      'edge, CPU of workerd per request, 3 spans each': rows,
      [`edge, memory of workerd over ${MEMORY_REQUESTS} requests`]: memory,
      'edge, bytes of the Worker': await measureSizes(),
    };
  } finally {
    sink.close();
  }
}

async function measureCpu(started, sink) {
  /** @type {Map<string, number[]>} */
  const millis = new Map(VARIANTS.map((variant) => [variant, []]));
  for (const one of started) await load(one.url, REQUESTS);
  // In turns, so that what else the machine does falls on all of them.
  for (let round = 0; round < ROUNDS; round++) {
    for (const { variant, url, pid } of started) {
      const before = cpuMillis(pid);
      await load(url, REQUESTS);
      millis.get(variant)?.push((cpuMillis(pid) - before) / REQUESTS);
    }
  }
  const bare = median(millis.get('bare') ?? []);
  return VARIANTS.map((variant) => {
    const each = median(millis.get(variant) ?? []);
    const exports = sink.counts.get(variant) ?? 0;
    return { variant, 'ms per request': each, 'times bare': each / bare, 'ms added': each - bare, exports };
  });
}

async function measureMemory({ url, pid }) {
  const rows = [];
  const step = MEMORY_REQUESTS / 10;
  for (let sent = 0; sent <= MEMORY_REQUESTS; sent += step) {
    if (sent) await load(url, step);
    rows.push({ requests: sent, 'resident MiB': residentMib(pid) });
  }
  return rows;
}

async function measureSizes() {
  const dist = (name) => new URL(`../../dist/${name}`, import.meta.url).pathname;
  const code = `export { instrument, r2 } from ${JSON.stringify(dist('edge.js'))};`;
  const theirs = `export { instrument } from ${JSON.stringify(ensureTool('@microlabs/otel-cf-workers'))};`;
  const isApi = (id) => id === '@opentelemetry/api';
  return [
    { bundle: 'instrument and r2, with the provider', ...weigh(await bundle(code, isApi)) },
    { bundle: 'the same with @opentelemetry/api', ...weigh(await bundle(code)) },
    {
      bundle: 'otel-cf-workers with @opentelemetry/api',
      ...weigh(await bundle(theirs, isBuiltIn, { shimMissingExports: true })),
    },
  ];
}

/** A Worker in a process of its own. */
async function start(variant, sinkUrl) {
  const before = new Set(workerdPids());
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    cf: false,
    log: new Log(LogLevel.ERROR),
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: await workerOf(variant) }],
    compatibilityDate: '2026-04-01',
    compatibilityFlags: ['nodejs_compat'],
    bindings: { SINK: `${sinkUrl}/${variant}` },
  });
  const url = String(await miniflare.ready);
  const pid = workerdPids().find((one) => !before.has(one));
  return { variant, url, pid, stop: () => miniflare.dispose() };
}

async function workerOf(variant) {
  const built = await rollup({
    input: fileURLToPath(new URL('edge-worker.mjs', import.meta.url)),
    external: isBuiltIn,
    plugins: [
      resolve({
        browser: true,
        modulePaths: [path.dirname(path.dirname(ensureTool('@microlabs/otel-cf-workers')))],
        dedupe: ['@opentelemetry/api'],
      }),
    ],
    // The peer names constants that its own dependency has renamed meanwhile.
    shimMissingExports: true,
    onwarn: () => {},
  });
  const { output } = await built.generate({
    format: 'es',
    inlineDynamicImports: true,
    banner: `globalThis.variant = ${JSON.stringify(variant)};`,
  });
  await built.close();
  return output[0].code;
}

/** Takes OTLP over HTTP, and counts by the first segment of the path. */
async function startSink() {
  const counts = new Map();
  const server = createServer((request, response) => {
    const variant = request.url.split('/')[1];
    counts.set(variant, (counts.get(variant) ?? 0) + 1);
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
  });
  await new Promise((resolved) => server.listen(0, '127.0.0.1', () => resolved(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    counts,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function load(url, requests) {
  let left = requests;
  const run = async () => {
    while (left-- > 0) {
      const response = await fetch(`${url}item/${left % 50}`);
      await response.text();
      if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
}

/** Processes called `workerd` below this one. */
function workerdPids() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        return stat.includes('(workerd)') && Number(stat.split(') ')[1]?.split(' ')[1]) === process.pid;
      } catch {
        return false;
      }
    });
}

const cpuMillis = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1_000;
};

const residentMib = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

const isBuiltIn = (id) => /^(node|cloudflare):/.test(id);

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
