/**
 * What every case has to deliver. A case that may do otherwise stands in {@link DEVIATIONS}, with the reason.
 *
 * @typedef {object} Expectation
 * @property {number} leastPercent Distinct spans in the bucket, of those emitted; 100 is all.
 * @property {number} mostDuplicates Spans stored more than once, and objects stored twice.
 * @property {string} [reason] Why it may be less than everything.
 * @property {true} [untilSwitch] Known of the core that is about to be replaced: whatever it does is as expected.
 */

/** @type {Expectation} */
const EVERYTHING_ONCE = { leastPercent: 100, mostDuplicates: 0 };

/**
 * @type {(Partial<Expectation> & {
 *   name: string,
 *   engines: readonly import('./engines/engine.mjs').EngineName[],
 *   reason: string,
 * })[]}
 */
const DEVIATIONS = [
  {
    name: 'kill-50ms',
    engines: ['chromium', 'firefox', 'webkit'],
    leastPercent: 25,
    reason:
      'for information: spans are encoded in one idle moment and written down in the next, which a busy machine has later',
  },
  {
    name: 'crash-renderer-no-return',
    engines: ['firefox', 'webkit'],
    leastPercent: 0,
    reason: 'for information: without fetchLater nothing can send for a page that crashed',
  },
  {
    name: 'tabs-5-close-4',
    engines: ['firefox'],
    leastPercent: 73,
    reason:
      'Firefox may keep neither a database write nor localStorage of the very task in which a tab closes',
  },
  {
    name: 'offline-close',
    engines: ['firefox'],
    leastPercent: 66,
    reason: 'as tabs-5-close-4',
  },
];

/** @param {string} name Of a case. @param {import('./engines/engine.mjs').EngineName} engine @returns {Expectation} */
export function expectationOf(name, engine) {
  const deviation = DEVIATIONS.find((one) => one.name === name && one.engines.includes(engine));
  return { ...EVERYTHING_ONCE, ...deviation };
}
