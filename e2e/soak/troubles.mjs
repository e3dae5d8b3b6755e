/**
 * What goes wrong while the soak runs, one thing at a time, drawn by a seed.
 *
 * @typedef {import('../../demo/mock-r2/faults.mjs').Fault} Fault
 *
 * @typedef {object} Trouble
 * @property {'fault' | 'offline' | 'tab' | 'freeze' | 'calm'} kind
 * @property {number} millis How long it lasts.
 * @property {'bucket' | 'endpoint'} [target] Of a fault.
 * @property {Fault} [fault]
 */

/** @type {readonly Fault[]} */
const FAULTS = [
  { kind: 'status', status: 503 },
  { kind: 'status', status: 429, retryAfter: 2 },
  { kind: 'down' },
  { kind: 'hang' },
  { kind: 'lost-answer' },
  { kind: 'reset', afterBytes: 20 },
  { kind: 'slow', delayMillis: 800 },
];
const MIN_MILLIS = 1_500;
const MAX_MILLIS = 5_000;

/**
 * Numbers from 0 to 1, the same for the same seed.
 *
 * @param {number} seed
 * @see https://en.wikipedia.org/wiki/Xorshift
 */
export function createRandom(seed) {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** @template T @param {readonly T[]} all @param {() => number} random @returns {T} */
const oneOf = (all, random) => /** @type {T} */ (all[Math.floor(random() * all.length)]);

/** @param {() => number} random @returns {Trouble} */
export function drawTrouble(random) {
  const millis = Math.round(MIN_MILLIS + random() * (MAX_MILLIS - MIN_MILLIS));
  const kind = oneOf(
    /** @type {const} */ (['fault', 'fault', 'fault', 'offline', 'tab', 'tab', 'freeze', 'calm']),
    random,
  );
  if (kind !== 'fault') return { kind, millis };
  const target = oneOf(/** @type {const} */ (['bucket', 'endpoint']), random);
  return { kind, millis, target, fault: oneOf(FAULTS, random) };
}
