// What it costs the page to write ended spans down while they wait: main-thread CPU time of everything that the page
// does, by the browser's own trace, beside the same page where there is no IndexedDB.
import { fileURLToPath } from 'node:url';
import { withChromium } from './in-chromium.mjs';

const ROUNDS = 3;
/** The first is the page without us, which is taken off the others. */
const VARIANTS = ['no processor', 'in memory', 'durable', 'durable, armed'];
const SCENES = {
  '30 spans in 3 s': [30, 100],
  'a burst of 2,000 spans': [2_000, 0],
};

export async function bench() {
  const file = fileURLToPath(new URL('checkpoint-measure.mjs', import.meta.url));
  return withChromium(file, async ({ name, open }) => {
    const tables = {};
    for (const [scene, args] of Object.entries(SCENES)) {
      const samples = Object.fromEntries(VARIANTS.map((variant) => [variant, []]));
      for (let round = 0; round < ROUNDS; round++) {
        for (const variant of VARIANTS) samples[variant].push(await measure(open, [variant, ...args]));
      }
      const [idle, memory] = VARIANTS.map((variant) => median(samples[variant], 'total'));
      const rows = [];
      for (const variant of VARIANTS.slice(1)) {
        const ours = median(samples[variant], 'total') - idle;
        const { transactions, bytes } = await countWrites(open, [variant, ...args]);
        rows.push({
          outbox: variant,
          'CPU ms': ours,
          'times that in memory': ours / (memory - idle),
          'longest task, CPU ms': median(samples[variant], 'longest'),
          transactions,
          'bytes written': bytes,
        });
      }
      tables[`${scene}, ${name}`] = rows;
    }
    return tables;
  });
}

const median = (samples, part) =>
  samples.map((sample) => sample[part]).sort((a, b) => a - b)[samples.length >> 1];

async function withPage(open, args, use) {
  const page = await open();
  try {
    await page.evaluate(async (given) => (await import('/bench.js')).prepare(...given), args);
    return await use(page);
  } finally {
    await page.context().close();
  }
}

const countWrites = (open, args) =>
  withPage(open, args, (page) => page.evaluate(async () => (await import('/bench.js')).endSpansCounted()));

/** CPU milliseconds of the page's main thread: all of its tasks, and the longest of them. */
const measure = (open, args) =>
  withPage(open, args, async (page) => {
    const browser = page.context().browser();
    await browser.startTracing(page, {
      categories: ['disabled-by-default-devtools.timeline', 'devtools.timeline'],
    });
    await page.evaluate(async () => (await import('/bench.js')).endSpans());
    const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
    const main = traceEvents.find(
      ({ name, args: { name: thread } }) => name === 'thread_name' && thread === 'CrRendererMain',
    );
    const tasks = traceEvents.filter(
      ({ name, pid, tid }) => name === 'RunTask' && pid === main.pid && tid === main.tid,
    );
    const millis = tasks.map(({ tdur = 0 }) => tdur / 1_000);
    return { total: millis.reduce((sum, each) => sum + each, 0), longest: Math.max(...millis) };
  });
