/** Away and back, and the page is the same. @type {import('../scene.mjs').Case[]} */
export const bfcache = [
  {
    name: 'bfcache',
    title: 'away, and back from the bfcache',
    page: { options: { scheduledDelayMillis: 200 } },
    async play(scene) {
      const tab = await scene.visitAndSettle();
      await tab.leave(`${scene.emit('before', 2)}; ${scene.goAway}`);
      await scene.untilTab(tab, "location.pathname === '/away' && document.readyState === 'complete'");
      await tab.leave('setTimeout(() => history.back())');
      await scene.untilTab(tab, "location.pathname === '/shop'");
      if (!(await tab.run('globalThis.persisted'))) throw new Error('the page did not come from the bfcache');
      await tab.run(scene.emit('after', 2));
    },
  },
];
