import { setTimeout as delay } from 'node:timers/promises';
import { shiftedClock } from './clocks.mjs';

/** Beyond any upload URL, and within the seven days that a blob is kept. */
const DAYS_MILLIS = 3 * 24 * 3_600_000;

/**
 * @param {Pick<import('../scene.mjs').Case, 'name' | 'title' | 'notes'>} about
 * @param {import('../site.mjs').PageParts} returnPage
 * @returns {import('../scene.mjs').Case}
 */
const daysLater = (about, returnPage) => ({
  ...about,
  async play(scene) {
    const tab = await scene.visitAndSettle({ closesItself: true });
    scene.blackout();
    await tab.run(`${scene.emit('days ago', 3)}; void copies[0].flush()`);
    await delay(1_500);
    await tab.leave('close()');
    // Signing times are whole seconds: those of today begin with the next one.
    const todayMillis = Math.ceil(Date.now() / 1_000) * 1_000;
    await delay(todayMillis - Date.now());
    scene.mock.faults.clear();
    scene.mock.faults.set('bucket', {
      kind: 'clock',
      shiftMillis: DAYS_MILLIS,
      signedBeforeMillis: todayMillis,
    });
    scene.site.setPage(returnPage);
  },
});

/** Unsent, and seen again when every URL has expired. @type {import('../scene.mjs').Case[]} */
export const expiry = [
  daysLater(
    { name: 'expired-store', title: 'left unsent in an outage; back when the URLs have expired' },
    {},
  ),
  daysLater(
    { name: 'expired-both', title: 'the same, and the page’s clock is three days on as well' },
    { head: shiftedClock(DAYS_MILLIS) },
  ),
];
