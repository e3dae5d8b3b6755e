/** The moments of a trace that one looks for first: vitals, errors, interactions, logs; and where their flags stand. */
import { formatVital, ratingWords } from './page-facts.mjs';
import { placeInstant } from './timeline.mjs';

/** Around the text of a flag, and to the next one. */
const FLAG_PIXELS = 30;
/** Longer texts are cut. */
const MAX_TEXT_PIXELS = 190;
/** More lines would push the waterfall out of sight; what is left out is in its rows. */
const MAX_LANES = 4;

/**
 * @typedef {object} Moment
 * @property {'vital' | 'error' | 'interaction' | 'log'} kind
 * @property {string} label
 * @property {string} rated what more there is to say, in words; may be empty
 * @property {string} rating of a vital, or of a log by its level
 * @property {bigint} time
 * @property {string} spanId whose details say more
 *
 * @typedef {Moment & { left: number, lane: number, flipped: boolean, room: number }} Flag `left` in percent; one that is
 *   `flipped` stands to the left of its moment; `room` in pixels is what it may take
 */

/** @type {Record<string, string>} */
const LEVEL_RATINGS = { warn: 'needs-improvement', error: 'poor', fatal: 'poor' };
/** Characters of a flag. */
const MAX_LOG_TEXT = 200;

/**
 * @param {import('./page-facts.mjs').PageFacts} facts
 * @param {import('./parse-logs.mjs').Log[]} [logs] of the trace
 * @returns {Moment[]} by time; without those that have none
 */
export function momentsOf({ activity, interaction, vitals, exceptions }, logs = []) {
  /** @type {Moment[]} */
  const moments = [
    ...(interaction ? [interactionMoment(interaction, activity)] : []),
    ...vitals.map((vital) => ({
      kind: /** @type {const} */ ('vital'),
      label: `${vital.name} ${formatVital(vital)}`,
      rated: ratingWords(vital.rating),
      rating: vital.rating,
      time: vital.time,
      spanId: vital.spanId,
    })),
    ...exceptions.map(({ type, message, time, spanId }) => {
      const label = message ? `${type}: ${message}` : type;
      return { kind: /** @type {const} */ ('error'), label, rated: '', rating: '', time, spanId };
    }),
    ...logs.map(({ level, text, time, spanId }) => ({
      kind: /** @type {const} */ ('log'),
      label: text.slice(0, MAX_LOG_TEXT),
      rated: level,
      rating: LEVEL_RATINGS[level] ?? '',
      time,
      spanId,
    })),
  ];
  return moments.filter(({ time }) => time !== undefined).sort((a, b) => Number(a.time - b.time));
}

/**
 * @param {import('./page-facts.mjs').Interaction} interaction
 * @param {import('./parse-otlp.mjs').Span} activity
 * @returns {Moment}
 */
function interactionMoment({ type, target, time }, activity) {
  return {
    kind: 'interaction',
    label: `${type} ${target}`.trim(),
    rated: '',
    rating: '',
    time: time ?? activity.start,
    spanId: activity.spanId,
  };
}

/**
 * Gives each flag a lane in which it covers no other.
 *
 * @param {Moment[]} moments by time
 * @param {{ start: bigint, duration: bigint }} axis
 * @param {number} width of the track in pixels
 * @param {(label: string) => number} widthOf a label in pixels
 * @returns {{ flags: Flag[], laneCount: number, hiddenCount: number }}
 */
export function placeFlags(moments, axis, width, widthOf) {
  /** @type {[from: number, to: number][][]} What is taken of each lane, in pixels. */
  const lanes = [];
  const flags = [];
  for (const moment of moments) {
    const left = placeInstant(moment.time, axis);
    const x = (left / 100) * width;
    const wanted = Math.min(widthOf(moment.label), MAX_TEXT_PIXELS) + FLAG_PIXELS;
    const flipped = x + wanted > width && x > width / 2;
    const length = Math.min(wanted, flipped ? x : width - x);
    const [from, to] = flipped ? [x - length, x] : [x, x + length];
    const isFree = (taken) => taken.every(([start, end]) => to <= start || from >= end);
    let lane = lanes.findIndex(isFree);
    if (lane < 0) lane = lanes.push([]) - 1;
    if (lane >= MAX_LANES) {
      lanes.pop();
      continue;
    }
    lanes[lane].push([from, to]);
    flags.push({ ...moment, left, lane, flipped, room: length });
  }
  return { flags, laneCount: lanes.length, hiddenCount: moments.length - flags.length };
}
