import { setTimeout as delay } from 'node:timers/promises';

/**
 * @typedef {import('../scene.mjs').Case} Case
 * @typedef {import('../scene.mjs').Scene} Scene
 */

/** Of a visit that ends within a second of its first span. */
const SHORT_MILLIS = 600;
const SLOWER = 6;
const FULL_SPEED = 'no switch for the processor: at full speed';
const NOTES = { firefox: FULL_SPEED, webkit: FULL_SPEED };

/** @param {string} name @param {string} title @param {(scene: Scene) => string} exit @param {import('../engines/engine.mjs').OpenOptions} [options] @returns {Case} */
const short = (name, title, exit, options) => ({
  name: `short-${name}`,
  title: `a visit is over within a second of its first span: ${title}`,
  async play(scene) {
    const tab = await scene.visit(options);
    await tab.run(scene.emit('first', 5));
    await delay(SHORT_MILLIS);
    await tab.leave(exit(scene));
  },
});

/** @param {string} name @param {string} title @param {(scene: Scene, tab: import('../engines/engine.mjs').Tab) => Promise<unknown>} end @param {import('../engines/engine.mjs').OpenOptions} [options] @returns {Case} */
const slow = (name, title, end, options) => ({
  name: `slow-${name}`,
  title: `with a processor six times slower, 200 spans, and ${title}`,
  notes: NOTES,
  async play(scene) {
    const tab = await scene.visitAndSettle(options);
    await tab.slowDown?.(SLOWER);
    await end(scene, tab);
  },
});

const burst = (/** @type {Scene} */ scene) => scene.emit('slow', 20, 10);

/** Visits that are over soon, and pages on slow machines. @type {Case[]} */
export const brief = [
  short('close', 'its tab is closed', () => 'close()', { closesItself: true }),
  short('navigate', 'it goes to another page', ({ goAway }) => goAway),
  slow('close', 'the tab is closed', (scene, tab) => tab.leave(`${burst(scene)}; close()`), {
    closesItself: true,
  }),
  slow('navigate', 'away', (scene, tab) => tab.leave(`${burst(scene)}; ${scene.goAway}`)),
  slow('kill', 'the browser is killed a second later, and started again', async (scene, tab) => {
    await tab.run(burst(scene));
    await delay(1_000);
    await scene.kill();
    await scene.restart();
  }),
];
