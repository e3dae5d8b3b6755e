/** Scripts of a page whose clock is off, milliseconds. @param {number} millis */
export const shiftedClock = (millis) => `<script>{
  const Real = Date;
  const now = () => Real.now() + ${millis};
  globalThis.Date = class Date extends Real {
    constructor(...parts) {
      if (parts.length) super(...parts);
      else super(now());
    }
    static now() {
      return now();
    }
  };
}</script>`;

const MINUTE_MILLIS = 60_000;
const YEAR_MILLIS = 365 * 86_400_000;

/** @param {string} name @param {string} title @param {number} millis @returns {import('../scene.mjs').Case} */
const off = (name, title, millis) => ({
  name: `clock-${name}`,
  title: `the page’s clock is ${title}; it is used, and left`,
  page: { head: shiftedClock(millis), options: { scheduledDelayMillis: 200 } },
  async play(scene) {
    const tab = await scene.visit();
    await tab.run(scene.emit('in use', 3));
    await scene.untilDelivered();
    await tab.leave(`${scene.emit('last words', 2)}; ${scene.goAway}`);
  },
});

/** Clocks that are wrong. @type {import('../scene.mjs').Case[]} */
export const clocks = [
  off('10-minutes-ahead', 'ten minutes ahead', 10 * MINUTE_MILLIS),
  off('10-minutes-behind', 'ten minutes behind', -10 * MINUTE_MILLIS),
  off('years-ahead', 'three years ahead', 3 * YEAR_MILLIS),
  off('years-behind', 'three years behind', -3 * YEAR_MILLIS),
];
