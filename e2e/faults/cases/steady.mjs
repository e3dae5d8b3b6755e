import { setTimeout as delay } from 'node:timers/promises';

/** A page in use, with nothing wrong. @type {import('../scene.mjs').Case[]} */
export const steady = [
  {
    name: 'steady',
    title: 'a page in use, nothing wrong',
    page: { options: { scheduledDelayMillis: 300 } },
    async play(scene) {
      const tab = await scene.visit();
      for (let round = 1; round <= 5; round++) {
        await tab.run(scene.emit(`round ${round}`, 3));
        await delay(400);
      }
    },
  },
];
