import { setTimeout as delay } from 'node:timers/promises';

/** Two copies of the SDK on one page, as when a page and a widget bring one each. @type {import('../scene.mjs').Case[]} */
export const copies = [
  {
    name: 'two-copies',
    title: 'two copies of the SDK on one page, in an outage and as it leaves',
    page: { options: { scheduledDelayMillis: 200 } },
    async play(scene) {
      scene.site.setPage({ scripts: scene.site.bothScripts });
      const tab = await scene.visitAndSettle();
      const both = (/** @type {string} */ name) =>
        [0, 1].map((copy) => scene.emit(`${name} of copy ${copy + 1}`, 2, 3, { copy })).join('; ');
      await tab.run(both('first'));
      await scene.untilDelivered();
      scene.blackout();
      await tab.run(both('in the outage'));
      await delay(1_000);
      scene.mock.faults.clear();
      await tab.leave(`${both('last words')}; ${scene.goAway}`);
    },
  },
];
