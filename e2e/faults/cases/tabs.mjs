import { setTimeout as delay } from 'node:timers/promises';

/**
 * @typedef {import('../scene.mjs').Case} Case
 *
 * @param {number} count
 * @param {Partial<Case> & Pick<Case, 'name' | 'title'>} about
 * @param {{ closesAllButOne?: boolean }} [how]
 * @returns {Case}
 */
const outage = (count, about, { closesAllButOne = false } = {}) => ({
  ...about,
  page: { options: { scheduledDelayMillis: 200 } },
  async play(scene) {
    const options = { closesItself: closesAllButOne };
    const first = await scene.visitAndSettle(options);
    const tabs = [first];
    while (tabs.length < count) tabs.push(await scene.visit(options));
    scene.blackout();
    for (const [index, tab] of tabs.entries()) await tab.run(scene.emit(`tab ${index + 1}`, 2));
    await delay(1_500);
    if (closesAllButOne) {
      for (const [index, tab] of tabs.slice(1).entries())
        await tab.leave(`${scene.emit(`last words of tab ${index + 2}`)}; close()`);
      await delay(500);
    }
    scene.mock.faults.clear();
  },
});

/** Several tabs of one profile, and neither bucket nor endpoint for a while. @type {Case[]} */
export const tabs = [
  outage(2, { name: 'tabs-2', title: 'two tabs in an outage' }),
  outage(5, { name: 'tabs-5', title: 'five tabs in an outage' }),
  outage(
    5,
    { name: 'tabs-5-close-4', title: 'five tabs in an outage, four closed meanwhile' },
    { closesAllButOne: true },
  ),
];
