/** One case in one runtime, from a clean world to what is wrong. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { slugOf } from '../cases/index.mjs';
import { ask } from './ask.mjs';
import { spansOf, textOf, treesOf } from './spans.mjs';

/**
 * @typedef {import('../case.mjs').Case} Case
 * @typedef {import('./table.mjs').Cell} Cell
 */

const ARRIVE_MILLIS = 8_000;
const POLL_MILLIS = 15;
/** For what should not come. */
const QUIET_MILLIS = 60;
const PLAY_MILLIS = 20_000;

/** @type {import('../case.mjs').Outside['until']} */
async function until(find, what) {
  const deadline = Date.now() + ARRIVE_MILLIS;
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== null && /** @type {unknown} */ (found) !== false) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not in ${ARRIVE_MILLIS} ms`);
    await delay(POLL_MILLIS);
  }
}

/** @param {import('../runners/index.mjs').Runtime} runtime @param {string} path */
async function askHost({ origin }, path) {
  const response = await fetch(origin + path, { method: 'POST', signal: AbortSignal.timeout(PLAY_MILLIS) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

/**
 * @param {Case} one
 * @param {import('../case.mjs').RuntimeName} name
 * @param {import('../runners/index.mjs').Runtime} runtime
 * @param {import('./world.mjs').OpenWorld} world
 * @returns {Promise<Cell>}
 */
export async function playCase(one, name, runtime, world) {
  const reason = one.notIn?.[name];
  if (reason) return { state: 'cannot', why: reason };
  try {
    await runtime.r2?.clear();
    await world.reset(one);
    return { state: 'ok', text: await played(one, name, runtime, world) };
  } catch (error) {
    // Where in this file an assertion is tells nothing.
    const isOurs = error instanceof assert.AssertionError;
    const why = error instanceof Error ? (isOurs ? '' : error.stack) || error.message : String(error);
    return { state: 'failed', why };
  }
}

/** @param {Case} one @param {import('../case.mjs').RuntimeName} name @param {import('../runners/index.mjs').Runtime} runtime @param {import('./world.mjs').OpenWorld} world */
async function played(one, name, runtime, world) {
  const slug = slugOf(one.name);
  const { copies = 1 } = one;
  const arrivedNow = async () => [...(await world.arrived()), ...((await runtime.r2?.arrived()) ?? [])];
  let answer;
  if (one.run) {
    const outcome = await (runtime.play ? runtime.play(slug) : askHost(runtime, `/play/${slug}`));
    if (outcome.error) throw new Error(`inside: ${outcome.error}`);
    answer = outcome.answer;
  }
  const client = await one.client?.({
    runtime: name,
    ask: (path, init) => ask(`${runtime.origin}/serve/${slug}${path}`, init),
    askBare: (path, init) => ask(`${runtime.origin}/bare/${slug}${path}`, init),
    scheduled: async (cron) => runtime.scheduled?.(cron),
    queue: async (queue, messages) => runtime.queue?.(queue, messages),
    faults: world.mock.faults,
    sink: world.sink,
    until,
  });
  let arrived = await until(async () => {
    const found = await arrivedNow();
    return spansOf(found).length >= one.spans * copies ? found : undefined;
  }, `${one.spans} spans`).catch(arrivedNow);
  await delay(QUIET_MILLIS);
  arrived = await arrivedNow();
  const level = leveller([
    [runtime.origin, '(here)'],
    [world.base, '(outside)'],
  ]);
  const levelled = (/** @type {string} */ text) => level(text).replaceAll(`/serve/${slug}`, '/served');
  const seen = {
    runtime: name,
    answer,
    client,
    arrived,
    // Of spans that are in several places, those of the first.
    trees: treesOf(
      copies > 1 ? arrived.filter(({ place }) => place === arrived[0]?.place) : arrived,
      levelled,
    ),
    requests: world.mock.requests.list(),
    sunk: [...world.sink.requests],
    origin: runtime.origin,
  };
  const view = one.view ?? (({ answer, client, trees }) => ({ answer, client, trees }));
  assert.deepStrictEqual(asJson(view(seen)), asJson(one.expected));
  assert.equal(spansOf(arrived).length, one.spans * copies, 'spans that arrived');
  const troubles = await (runtime.takeTroubles ? runtime.takeTroubles() : askHost(runtime, '/troubles'));
  const says = one.says?.[name] ?? one.says?.all ?? [];
  assert.ok(
    troubles.length === says.length && says.every((begin, at) => troubles[at].startsWith(begin)),
    `said on the console: ${JSON.stringify(troubles, null, 2)}`,
  );
  return textOf(arrived, levelled);
}

/** Origins and hosts by names. @param {[origin: string, name: string][]} names @returns {(text: string) => string} */
const leveller = (names) => (text) =>
  names.reduce(
    (so, [origin, name]) => so.replaceAll(origin, name).replaceAll(new URL(origin).host, name),
    text,
  );

/** @param {unknown} value */
const asJson = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
