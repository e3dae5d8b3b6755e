// `npm run faults [-- options]`: plays every case of `cases/` in every engine of `engines/`, each time with a browser
// profile and a bucket of its own, and prints what became of the spans.
//
//   --engines chromium,firefox,webkit   default all
//   --cases leaving,kill-50ms           groups (the files of `cases/`), cases, or how their names begin; default all
//   --repeat 5                          plays of each case
//   --workers 2                         browsers at a time
//   --deadline 45                       seconds for spans to arrive once a case's trouble is over
//   --json file, --markdown file        the results as data, and as the table of README.md beside this
//   --ci                                every case once in Chromium; leaving, outages and tabs in the others as well
//
// How to read the table, one line per case and engine:
//
//   at once     what of them had arrived by itself, three seconds after the case and before another visit
//   delivered   distinct spans in the bucket, of the spans emitted, over all plays; rounded down, so 100 % is all
//   duplicates  spans that are in the bucket more than once, and objects that hold the same spans as another
//   requests    endpoint + bucket, as they reached the servers, CORS preflights included, averaged over the plays
//   bytes       of the bodies of these requests, averaged likewise; what is sent again counts again
//   note        what an engine cannot do as a user would meet it, or why less than everything is expected
//
// A case ends as its user left the page. The user then comes back on the same profile (but for the cases whose names
// say otherwise), so that what waits on the device can go, and what was sent already would show if it went twice.
// Below the table stands whatever is not as `expectations.mjs` wants it; the exit code is 1 if there is anything.
import { writeFile } from 'node:fs/promises';
import { ensureBrowsers, ensureWebKit } from '../support/browsers.mjs';
import { GROUPS } from './cases/index.mjs';
import { ENGINES } from './engines/index.mjs';
import { planOf } from './plan.mjs';
import { play } from './play.mjs';
import { markdownTable, textTable } from './table.mjs';
import { judge } from './verdict.mjs';

/** @typedef {import('./plan.mjs').Plan} Plan */

/** @param {Plan} plan @returns {Promise<import('./verdict.mjs').Row[]>} */
async function playAll({ pairs, repeat, workers, deadlineMillis }) {
  /** @type {import('./play.mjs').Outcome[][]} */
  const outcomes = pairs.map(() => []);
  const jobs = pairs.flatMap(({ one }, pair) => (one.skip ? [] : Array.from({ length: repeat }, () => pair)));
  let begun = 0;
  async function work() {
    while (begun < jobs.length) {
      const number = ++begun;
      const pair = /** @type {number} */ (jobs[number - 1]);
      const { one, engine } = /** @type {Plan['pairs'][number]} */ (pairs[pair]);
      const outcome = await play(one, ENGINES[engine], deadlineMillis);
      outcomes[pair]?.push(outcome);
      const { complaints } = judge(one, engine, [outcome]);
      console.error(
        `${number}/${jobs.length} ${one.name} in ${engine}: ${complaints.length ? 'NOT as expected' : 'ok'}`,
      );
    }
  }
  await Promise.all(Array.from({ length: workers }, work));
  return pairs.map(({ one, engine }, pair) => judge(one, engine, outcomes[pair] ?? []));
}

/** WebKitGTK runs on Linux only: elsewhere the others play without it. @throws {Error} in CI, which must have it. */
function hasWebKit() {
  try {
    ensureWebKit();
    return true;
  } catch (error) {
    if (process.env['CI']) throw error;
    console.error(error instanceof Error ? error.message : error);
    return false;
  }
}

/** @param {Plan} plan */
async function main(plan) {
  const engines = [...new Set(plan.pairs.map(({ engine }) => engine))].map((name) => ENGINES[name]);
  if (engines.some(({ name }) => name !== 'webkit')) ensureBrowsers();
  if (engines.some(({ name }) => name === 'webkit') && !hasWebKit()) {
    engines.splice(engines.indexOf(ENGINES.webkit), 1);
    plan.pairs = plan.pairs.map(({ one, engine }) =>
      engine === 'webkit'
        ? { one: { ...one, skip: 'no WebKitGTK on this machine' }, engine }
        : { one, engine },
    );
  }
  /** @type {Record<string, string>} */
  const versions = {};
  for (const engine of engines) versions[engine.name] = await engine.version();
  const rows = await playAll(plan);
  for (const engine of engines) await engine.close();

  const about = { date: new Date().toISOString().slice(0, 10), versions, repeat: plan.repeat };
  if (plan.json) await writeFile(plan.json, `${JSON.stringify({ ...about, rows }, null, 2)}\n`);
  if (plan.markdown) await writeFile(plan.markdown, markdownTable(rows, about));
  console.log(textTable(rows));
  const failed = rows.filter(({ complaints }) => complaints.length);
  if (failed.length) console.log('\nNot as expected:');
  for (const { name, engine, complaints } of failed) {
    console.log(`  ${name} in ${engine}`);
    for (const complaint of complaints) console.log(`    ${complaint.replaceAll('\n', '\n      ')}`);
  }
  const skipped = rows.filter(({ plays }) => !plays).length;
  console.log(
    `\n${rows.length - failed.length - skipped} as expected, ${failed.length} not, ${skipped} not played`,
  );
  process.exitCode = failed.length ? 1 : 0;
}

// An end of its own, so that those who listen for it end their browsers.
process.once('SIGINT', () => process.exit(130));

// In the end: browsers that were killed may leave handles of their drivers behind.
try {
  await main(planOf(process.argv.slice(2), GROUPS));
} catch (error) {
  console.error(error instanceof TypeError ? error.message : error);
  process.exitCode = 1;
}
process.exit();
