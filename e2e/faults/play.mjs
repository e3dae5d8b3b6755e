import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createScene } from './scene.mjs';
import { startSite } from './site.mjs';

/**
 * @typedef {import('./scene.mjs').Case} Case
 * @typedef {import('./scene.mjs').Scene} Scene
 *
 * @typedef {object} Outcome Of one playing.
 * @property {number} emitted
 * @property {string[]} missing
 * @property {number} missingAtOnce Spans that were not there yet when the user came back.
 * @property {string[]} unexpected
 * @property {number} duplicateSpans
 * @property {number} duplicateObjects
 * @property {{ endpoint: number, bucket: number }} requests As they reached the doors; preflights too.
 * @property {number} bytes Of the bodies of these requests.
 * @property {string} [error] What broke the case off.
 */

/**
 * Plays a case once, from a new site and a new profile to their end.
 *
 * @param {Case} one
 * @param {import('./engines/engine.mjs').Engine} engine
 * @param {number} deadlineMillis For what the case emitted to arrive, once its trouble is over.
 * @returns {Promise<Outcome>} Never rejects.
 */
export async function play(one, engine, deadlineMillis) {
  const profile = await mkdtemp(path.join(tmpdir(), 'spandrel-faults-'));
  /** @type {import('./site.mjs').Site | undefined} */
  let site;
  /** @type {Scene | undefined} */
  let scene;
  /** @type {string | undefined} */
  let error;
  try {
    const { isTls = false, hasBfcache = true, page = {} } = one;
    site = await startSite({ isTls });
    site.setPage(page);
    const { tls, awayUrl } = site;
    // Another site than the page under test, so that browsers put it into another process.
    const homeUrl = awayUrl.replace('127.0.0.1', 'localhost');
    const launch = () => engine.launch({ profile, homeUrl, tls, hasBfcache });
    const opened = createScene({ site, engine, launch, browser: await launch() });
    scene = opened;
    const playing = async () => {
      await one.play(opened);
      if (one.neverReturns)
        await opened.until(async () => (await opened.delivery()).missing.length === 0, 8_000).catch(() => {});
      else await opened.recover(deadlineMillis);
      await opened.quiet();
    };
    await bounded(playing());
  } catch (cause) {
    error = inShort(cause);
  }
  const outcome = await outcomeOf(scene).catch((cause) => ({ ...NOTHING, error: inShort(cause) }));
  if (error !== undefined) outcome.error = error;
  if (scene) await scene.browser.close().catch(() => {});
  await site?.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  return outcome;
}

/** No case takes half of that: a driver has lost its way. */
const PLAY_MILLIS = 240_000;

/** @param {Promise<void>} playing @returns {Promise<void>} Rejects after {@link PLAY_MILLIS}. */
async function bounded(playing) {
  const timer = new AbortController();
  const late = delay(PLAY_MILLIS, undefined, { signal: timer.signal }).then(() => {
    throw new Error('the case does not come to an end');
  });
  try {
    await Promise.race([playing, late]);
  } finally {
    timer.abort();
    late.catch(() => {});
  }
}

/** Drivers add the browser's whole log. @param {unknown} cause */
function inShort(cause) {
  if (!(cause instanceof Error)) return String(cause);
  const [message = ''] = cause.message.split('\nBrowser logs:');
  const place = cause.stack?.split('\n').find((line) => line.includes('/cases/'));
  return [message.trim(), place?.trim()].filter(Boolean).join('\n');
}

/** @type {Outcome} */
const NOTHING = {
  emitted: 0,
  missing: [],
  missingAtOnce: 0,
  unexpected: [],
  duplicateSpans: 0,
  duplicateObjects: 0,
  requests: { endpoint: 0, bucket: 0 },
  bytes: 0,
};

/** @param {Scene | undefined} scene @returns {Promise<Outcome>} */
async function outcomeOf(scene) {
  if (!scene) return { ...NOTHING };
  const { requests } = scene.mock;
  const [endpoint, bucket] = [requests.list('endpoint'), requests.list('bucket')];
  const delivery = await scene.delivery();
  return {
    ...delivery,
    missingAtOnce: (scene.missingAtOnce() ?? delivery.missing).length,
    emitted: scene.emitted.size,
    requests: { endpoint: endpoint.length, bucket: bucket.length },
    bytes: [...endpoint, ...bucket].reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
