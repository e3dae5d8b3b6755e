import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createScene } from './scene.mjs';
import { startSite } from './site.mjs';

/**
 * @typedef {import('./scene.mjs').Case} Case
 * @typedef {import('./scene.mjs').Scene} Scene
 *
 * @typedef {object} Outcome Of one playing.
 * @property {number} emitted
 * @property {string[]} missing
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
    scene = createScene({ site, engine, launch, browser: await launch() });
    await one.play(scene);
    if (one.neverReturns)
      await scene.until(async () => (await scene?.delivery())?.missing.length === 0, 8_000).catch(() => {});
    else await scene.recover(deadlineMillis);
    await scene.quiet();
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
  return {
    ...(await scene.delivery()),
    emitted: scene.emitted.size,
    requests: { endpoint: endpoint.length, bucket: bucket.length },
    bytes: [...endpoint, ...bucket].reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
