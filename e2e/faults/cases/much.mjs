/**
 * @typedef {import('../scene.mjs').Case} Case
 * @typedef {import('../scene.mjs').Scene} Scene
 */

/** The page's own last words, after all that was there before it: over the quarter of the budget that is left to it no more. */
const OWN_BEACONS = 3;
const HOST = `<script>
  addEventListener('pagehide', () => {
    for (let sent = 0; sent < ${OWN_BEACONS}; sent++) navigator.sendBeacon('/own', 'x'.repeat(5_000));
  });
</script>`;

/** @param {string} name @param {string} title @param {(scene: Scene) => string} emit @returns {Case} */
const away = (name, title, emit) => ({
  name,
  title: `${title}, and away`,
  async play(scene) {
    const tab = await scene.visitAndSettle();
    await tab.leave(`${emit(scene)}; ${scene.goAway}`);
  },
});

/** More than may leave with a page. @type {Case[]} */
export const much = [
  away('trace-400', 'one trace of 400 spans, some 90 kB gzipped', (scene) =>
    scene.emit('large', 1, 400, { noiseBytes: 200 }),
  ),
  away('trace-1500', 'one trace of 1,500 spans', (scene) =>
    scene.emit('large', 1, 1_500, { noiseBytes: 60 }),
  ),
  {
    name: 'bursts-stay',
    title: 'twice 5,000 spans in one task, and the page stays',
    async play(scene) {
      const tab = await scene.visitAndSettle();
      for (const name of ['first', 'second']) {
        await tab.run(scene.emit(name, 1_000, 5));
        // The last ones wait half a minute for company.
        await scene.until(async () => (await scene.delivery()).missing.length === 0, 90_000);
      }
    },
  },
  {
    name: 'host-beacons',
    title: 'a page with three beacons of its own as it leaves, after 2,000 spans: all of them arrive',
    page: { body: HOST },
    async play(scene) {
      const tab = await scene.visitAndSettle();
      await tab.leave(`${scene.emit('much', 200, 10)}; ${scene.goAway}`);
      await scene
        .until(async () => scene.site.ownBeacons() === OWN_BEACONS, 5_000)
        .catch(() => {
          throw new Error(`${scene.site.ownBeacons()} of the page's own ${OWN_BEACONS} beacons arrived`);
        });
    },
  },
];
