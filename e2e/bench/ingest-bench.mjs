// What an URL costs the endpoint: signed by hand, by aws4fetch, by `s3()`, and as one of an exchange, in Node and in
// workerd. Durations are of the whole process, WebCrypto's threads included.
import { fileURLToPath } from 'node:url';
import { check, issue, WAYS } from './ingest-measure.mjs';
import { median, ownCpuMillis, startWorkerd } from './workerd-process.mjs';

const BATCHES = [1, 8];
const ROUNDS = 5;
const URLS = 4_000;

export async function bench() {
  await check();
  const inNode = await measure(issue, ownCpuMillis);
  const worker = await startWorkerd(fileURLToPath(new URL('ingest-worker.mjs', import.meta.url)));
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
