import { setTimeout as delay } from 'node:timers/promises';

/**
 * @typedef {import('../scene.mjs').Case} Case
 */

/** Spans are written to the device within 100 ms of idle time. */
const KEPT_MILLIS = 300;

/** @param {number} millis @returns {Case} */
const killed = (millis) => ({
  name: `kill-${millis}ms`,
  title: `the browser is killed ${millis} ms after the spans, in an outage, and started again`,
  async play(scene) {
    const tab = await scene.visitAndSettle();
    scene.blackout();
    await tab.run(scene.emit('before the kill', 3));
    await delay(millis);
    await scene.kill();
    scene.mock.faults.clear();
    await scene.restart();
  },
});

/** @param {Partial<Case> & Pick<Case, 'name' | 'title'>} about @returns {Case} */
const crashed = (about) => ({
  ...about,
  async play(scene) {
    const tab = await scene.visitAndSettle();
    await tab.run(scene.emit('before the crash', 3));
    await delay(KEPT_MILLIS);
    // What nobody comes back for is left with the browser, where it takes requests for later.
    if (about.neverReturns)
      await scene.untilTab(tab, '!globalThis.fetchLater || copies[0].stats().requests.deferred > 0');
    await scene.browser.crashRenderers();
  },
});

/** Ends without a word. @type {Case[]} */
export const crashes = [
  killed(50),
  killed(1_000),
  crashed({ name: 'crash-renderer', title: 'the renderer crashes, and the page is opened again' }),
  crashed({
    name: 'crash-renderer-no-return',
    title: 'the renderer crashes, and nobody ever comes back',
    neverReturns: true,
  }),
  {
    name: 'close-alone',
    title: 'a page that is alone in its process closes itself, of which Chromium tells it nothing',
    async play(scene) {
      const tab = await scene.visitAndSettle();
      await tab.run(scene.emit('before the close', 3));
      await delay(KEPT_MILLIS);
      await tab.leave('close()');
    },
  },
];
