import { setTimeout as delay } from 'node:timers/promises';

const NOTES = { webkit: 'no offline switch: a script tells the page' };

/** No network. @type {import('../scene.mjs').Case[]} */
export const offline = [
  {
    name: 'offline-stay',
    title: 'offline for a while, and the page stays',
    notes: NOTES,
    async play(scene) {
      const tab = await scene.visitAndSettle();
      await scene.setOffline(true, tab);
      await tab.run(scene.emit('offline', 3));
      await delay(1_000);
      await scene.setOffline(false, tab);
    },
  },
  {
    name: 'offline-close',
    title: 'offline, closed offline, and opened again online',
    notes: NOTES,
    async play(scene) {
      const tab = await scene.visitAndSettle({ closesItself: true });
      await scene.setOffline(true, tab);
      await tab.run(scene.emit('offline', 3));
      await delay(1_000);
      await tab.leave(`${scene.emit('last words', 2)}; close()`);
      await delay(500);
      await scene.setOffline(false);
    },
  },
];
