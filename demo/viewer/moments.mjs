/** The moments of a trace that one looks for first: vitals, errors, interactions; and where their flags stand. */
import { formatVital, ratingWords } from './page-facts.mjs';
import { placeInstant } from './timeline.mjs';

/** Flags are as wide as their text, at a guess: what cannot be measured before it is drawn. */
const CHAR_PIXELS = 6.6;
const FLAG_PIXELS = 30;
const MAX_LABEL_CHARS = 28;
/** More lines would push the waterfall out of sight; what is left out is in its rows. */
const MAX_LANES = 4;

/**
 * @typedef {object} Moment
 * @property {'vital' | 'error' | 'interaction'} kind
 * @property {string} label
 * @property {string} detail the whole of it, in words
 * @property {string} rating of a vital
 * @property {bigint} time
 * @property {string} spanId whose details say more
 *
 * @typedef {Moment & { left: number, lane: number, flipped: boolean }} Flag `left` in percent; one that is `flipped`
 *   stands to the left of its moment
 */

/**
 * @param {import('./page-facts.mjs').PageFacts} facts
 * @returns {Moment[]} by time; without those that have none
 */
export function momentsOf({ activity, interaction, vitals, exceptions }) {
  const moments = [
    ...(interaction ? [interactionMoment(interaction, activity)] : []),
    ...vitals.map((vital) => ({
      kind: 'vital',
      label: `${vital.name} ${formatVital(vital)}`,
      detail: `${vital.name} ${formatVital(vital)}, ${ratingWords(vital.rating)}`,
      rating: vital.rating,
      time: vital.time,
      spanId: vital.spanId,
    })),
    ...exceptions.map(({ type, message, time, spanId }) => {
      const detail = message ? `${type}: ${message}` : type;
      return { kind: 'error', label: cut(detail), detail, rating: '', time, spanId };
    }),
  ];
  return moments.filter(({ time }) => time !== undefined).sort((a, b) => Number(a.time - b.time));
}

function interactionMoment({ type, target, time }, activity) {
  const detail = `${type} ${target}`.trim();
  return {
    kind: 'interaction',
    label: cut(detail),
    detail,
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
 * @returns {{ flags: Flag[], laneCount: number, hiddenCount: number }}
 */
export function placeFlags(moments, axis, width) {
  /** @type {[from: number, to: number][][]} What is taken of each lane, in pixels. */
  const lanes = [];
  const flags = [];
  for (const moment of moments) {
    const left = placeInstant(moment.time, axis);
    const x = (left / 100) * width;
    const length = moment.label.length * CHAR_PIXELS + FLAG_PIXELS;
    const flipped = x + length > width && x > width / 2;
    const [from, to] = flipped ? [x - length, x] : [x, x + length];
    const isFree = (taken) => taken.every(([start, end]) => to <= start || from >= end);
    let lane = lanes.findIndex(isFree);
    if (lane < 0) lane = lanes.push([]) - 1;
    if (lane >= MAX_LANES) {
      lanes.pop();
      continue;
    }
    lanes[lane].push([from, to]);
    flags.push({ ...moment, left, lane, flipped });
  }
  return { flags, laneCount: lanes.length, hiddenCount: moments.length - flags.length };
}

const cut = (text) => (text.length > MAX_LABEL_CHARS ? `${text.slice(0, MAX_LABEL_CHARS - 1)}…` : text);
