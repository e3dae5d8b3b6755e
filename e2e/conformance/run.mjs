// `npm run conformance [-- words]`: every case of `cases/` in every runtime of `runners/`, on the built files. Words
// that name a runtime choose runtimes, others choose cases whose names hold them. See `case.mjs` for what a case is.
//
// What a case returned and what arrived outside is compared with the one result that the case expects, and then, as
// text, with what arrived from the other runtimes. The exit code is 1 if anything is otherwise, a runtime that does
// not start included.
import { CASES } from './cases/index.mjs';
import { bundleFor } from './outside/bundle.mjs';
import { playCase } from './outside/play.mjs';
import { tableOf } from './outside/table.mjs';
import { startWorld } from './outside/world.mjs';
import { openSite } from './runners/browser.mjs';
import { RUNNERS } from './runners/index.mjs';
import { bun, deno } from './runners/process.mjs';

/**
 * @typedef {import('./case.mjs').Case} Case
 * @typedef {import('./outside/table.mjs').Cell} Cell
 */

/** Runtimes at a time, of which each has a bucket in another process. */
const WORKERS = 3;

/** @param {import('./runners/index.mjs').Runner} runner @param {readonly Case[]} cases @returns {Promise<Map<string, Cell>>} */
async function playAll({ name, entry, start }, cases) {
  const site = await openSite();
  const world = await startWorld(site.origin);
  /** @type {import('./runners/index.mjs').Runtime | undefined} */
  let runtime;
  try {
    const file = await bundleFor(entry, {
      runtime: name,
      base: world.base,
      endpoint: world.mock.endpointUrl,
    });
    await site.setScript(file);
    runtime = await start(file, { pageUrl: site.origin, queues: CASES.flatMap(({ queue }) => queue ?? []) });
    /** @type {Map<string, Cell>} */
    const cells = new Map();
    for (const one of cases) {
      cells.set(one.name, await playCase(one, name, runtime, world));
    }
    return cells;
  } catch (error) {
    const why = `${name} does not run: ${error instanceof Error ? error.stack : error}`;
    return new Map(cases.map((one) => [one.name, { state: 'failed', why }]));
  } finally {
    await runtime?.close();
    await world.close();
    await site.close();
  }
}

/** What arrived from one runtime is what arrived from the first. @param {Case} one @param {Map<string, Cell>} cells */
function compare(one, cells) {
  if (one.differs) return;
  const played = [...cells].filter(([, { state }]) => state === 'ok');
  const [first] = played;
  for (const [, cell] of played) {
    if (cell.text === first?.[1].text) continue;
    const [lines = [], others = []] = [cell, first?.[1]].map((it) => it?.text?.split('\n'));
    const at = lines.findIndex((line, index) => line !== others[index]);
    cell.state = 'failed';
    cell.why = `what arrived is not what arrived from ${first?.[0]}:\n${lines[at]}\n${others[at]}`;
  }
}

/** @param {string[]} words */
async function main(words) {
  const isRuntime = (/** @type {string} */ word) => RUNNERS.some(({ name }) => name === word);
  const [wantedRuntimes, wantedCases] = [words.filter(isRuntime), words.filter((word) => !isRuntime(word))];
  const runners = RUNNERS.filter(({ name }) => !wantedRuntimes.length || wantedRuntimes.includes(name));
  const cases = CASES.filter(
    ({ name }) => !wantedCases.length || wantedCases.some((word) => name.includes(word)),
  );
  if (!cases.length) throw new TypeError('no case matches');

  // Before anything runs: nothing else does while npm works.
  if (runners.some(({ name }) => name === 'bun')) bun();
  if (runners.some(({ name }) => name === 'deno')) deno();

  const begun = Date.now();
  /** @type {Map<string, Map<string, Cell>>} */
  const byRuntime = new Map();
  const waiting = [...runners];
  async function work() {
    for (let runner = waiting.shift(); runner; runner = waiting.shift()) {
      const started = Date.now();
      const cells = await playAll(runner, cases);
      byRuntime.set(runner.name, cells);
      const failed = [...cells.values()].filter(({ state }) => state === 'failed').length;
      console.error(
        `${runner.name}: ${failed ? `${failed} failed` : 'ok'} in ${((Date.now() - started) / 1000).toFixed(1)} s`,
      );
    }
  }
  await Promise.all(Array.from({ length: WORKERS }, work));

  const names = runners.map(({ name }) => name);
  const rows = new Map(
    cases.map((one) => {
      const cells = new Map(
        names.map((name) => [name, /** @type {Cell} */ (byRuntime.get(name)?.get(one.name))]),
      );
      compare(one, cells);
      return [one.name, cells];
    }),
  );
  console.log(`\n${tableOf(names, rows)}`);
  const all = [...rows].flatMap(([name, cells]) =>
    [...cells].map(([runtime, cell]) => ({ name, runtime, ...cell })),
  );
  /** What is the same in several places is told once. @type {Map<string, string[]>} */
  const complaints = new Map();
  for (const { name, runtime, state, why = '' } of all)
    if (state === 'failed') complaints.set(why, [...(complaints.get(why) ?? []), `✗ ${name}, ${runtime}`]);
  for (const [why, places] of complaints)
    console.log(`\n${places.join('\n')}\n  ${why.replaceAll('\n', '\n  ')}`);
  const [passed, failed] = ['ok', 'failed'].map(
    (wanted) => all.filter(({ state }) => state === wanted).length,
  );
  console.log(`\n${passed} passed, ${failed} failed, in ${((Date.now() - begun) / 1000).toFixed(0)} s`);
  process.exitCode = failed ? 1 : 0;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof TypeError ? error.message : error);
  process.exitCode = 1;
}
// Runtimes that were ended may leave handles of their drivers behind.
process.exit();
