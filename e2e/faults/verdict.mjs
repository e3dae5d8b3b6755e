import { expectationOf } from './expectations.mjs';

/**
 * @typedef {import('./scene.mjs').Case} Case
 * @typedef {import('./play.mjs').Outcome} Outcome
 *
 * @typedef {object} Row A case in one engine, over all its playings.
 * @property {string} name
 * @property {string} title
 * @property {import('./engines/engine.mjs').EngineName} engine
 * @property {number} plays
 * @property {number} percent Distinct spans in the bucket, of those emitted.
 * @property {number} atOncePercent The same, before a later visit.
 * @property {number} duplicateSpans
 * @property {number} duplicateObjects
 * @property {{ endpoint: number, bucket: number }} requests On average.
 * @property {number} bytes On average.
 * @property {string} note What the engine does otherwise, why less is expected, or why nothing was played.
 * @property {string[]} complaints Empty when all is as expected.
 */

/** Enough to see which part of a case is lost. */
const MAX_SHOWN_NAMES = 5;

/** @param {number[]} numbers */
const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);

/** @param {string[]} names */
const shown = (names) =>
  names.length > MAX_SHOWN_NAMES
    ? `${names.slice(0, MAX_SHOWN_NAMES).join(', ')}, … (${names.length})`
    : names.join(', ');

/** @param {Outcome} outcome @returns {string[]} What is wrong whatever is expected. */
const brokenBits = ({ error, unexpected }) => [
  ...(error === undefined ? [] : [`broke off: ${error}`]),
  ...(unexpected.length ? [`spans that nobody emitted: ${shown(unexpected)}`] : []),
];

/**
 * @param {Case} one
 * @param {import('./engines/engine.mjs').EngineName} engine
 * @param {readonly Outcome[]} outcomes Of its playings; none when it cannot be played.
 * @returns {Row}
 */
export function judge(one, engine, outcomes) {
  const { leastPercent, mostDuplicates, reason, untilSwitch } = expectationOf(one.name, engine);
  const average = (/** @type {(outcome: Outcome) => number} */ of) =>
    sum(outcomes.map(of)) / (outcomes.length || 1);
  const emitted = sum(outcomes.map((outcome) => outcome.emitted));
  const delivered = emitted - sum(outcomes.map(({ missing }) => missing.length));
  const percent = emitted ? (delivered / emitted) * 100 : 0;
  const atOnce = emitted - sum(outcomes.map(({ missingAtOnce }) => missingAtOnce));
  const duplicateSpans = sum(outcomes.map((outcome) => outcome.duplicateSpans));
  const duplicateObjects = sum(outcomes.map((outcome) => outcome.duplicateObjects));

  const complaints = outcomes.flatMap((outcome, index) => {
    const { missing } = outcome;
    const isShort = outcome.emitted - missing.length < (outcome.emitted * leastPercent) / 100;
    const duplicates = outcome.duplicateSpans + outcome.duplicateObjects;
    return [
      ...brokenBits(outcome),
      ...(isShort || outcome.emitted === 0 ? [`missing: ${shown(missing)}`] : []),
      ...(duplicates > mostDuplicates
        ? [`stored twice: ${outcome.duplicateSpans} spans, ${outcome.duplicateObjects} objects`]
        : []),
    ].map((complaint) => `play ${index + 1}: ${complaint}`);
  });
  return {
    name: one.name,
    title: one.title,
    engine,
    plays: outcomes.length,
    percent,
    atOncePercent: emitted ? (atOnce / emitted) * 100 : 0,
    duplicateSpans,
    duplicateObjects,
    requests: {
      endpoint: average(({ requests }) => requests.endpoint),
      bucket: average(({ requests }) => requests.bucket),
    },
    bytes: average((outcome) => outcome.bytes),
    note: [one.skip && `not played: ${one.skip}`, one.notes?.[engine], reason].filter(Boolean).join('; '),
    complaints: untilSwitch ? [] : complaints,
  };
}
