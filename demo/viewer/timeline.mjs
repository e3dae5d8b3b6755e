/** Where things stand on the time axis, and how times are written. Nanoseconds are BigInt throughout. */

/** @type {[string, bigint][]} */
const UNITS = [
  ['ns', 1n],
  ['µs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
];

/**
 * Writes a duration in the largest unit that leaves at least one whole: `840 µs`, `12.3 ms`, `1 min 5 s`.
 *
 * @param {bigint} nanos
 */
export function formatDuration(nanos) {
  if (nanos < 0n) return `−${formatDuration(-nanos)}`;
  if (nanos >= 86_400_000_000_000n) {
    return twoUnits(nanos, 86_400_000_000_000n, 'd', 3_600_000_000_000n, 'h');
  }
  if (nanos >= 3_600_000_000_000n) return twoUnits(nanos, 3_600_000_000_000n, 'h', 60_000_000_000n, 'min');
  if (nanos >= 60_000_000_000n) return twoUnits(nanos, 60_000_000_000n, 'min', 1_000_000_000n, 's');
  const [unit, size] = UNITS.findLast(([, unitSize]) => nanos >= unitSize) ?? UNITS[0];
  return `${threeDigits(Number(nanos) / Number(size))} ${unit}`;
}

/** Between a mark and its label, and from a label to the next mark, in pixels. */
const LABEL_GAP = 12;
/** More room than this for each is left empty. */
const TICK_PIXELS = 80;

/**
 * Marks at round times: 1, 2 or 5 times a power of ten nanoseconds apart, as many as there is room for. No label
 * reaches the next one, or beyond the axis.
 *
 * @param {bigint} duration of the whole axis; 0 gives one tick
 * @param {number} width of the axis in pixels
 * @param {(label: string) => number} widthOf a label in pixels
 * @returns {{ percent: number, label: string, flipped: boolean }[]} from 0; the label of one that is `flipped` stands
 *   to the left of its mark
 */
export function axisTicks(duration, width, widthOf) {
  let step = roundStep(duration / BigInt(Math.max(2, Math.floor(width / TICK_PIXELS))) || 1n);
  for (;;) {
    const ticks = placeTicks(duration, step, width, widthOf);
    if (ticks !== undefined) return ticks;
    step = roundStep(step + 1n);
  }
}

// Undefined when labels would meet. The one at 0 is always alone when the step is longer than the axis.
function placeTicks(duration, step, width, widthOf) {
  const ticks = [];
  let free = 0;
  for (let offset = 0n; offset <= duration; offset += step) {
    const label = offset === 0n ? '0' : formatDuration(offset);
    const percent = percentOf(offset, duration);
    const x = (percent / 100) * width;
    const length = widthOf(label) + LABEL_GAP;
    const flipped = offset > 0n && x + length > width;
    if (offset > 0n && (flipped ? x - length : x) < free) return undefined;
    free = flipped ? x : x + length;
    ticks.push({ percent, label, flipped });
  }
  return ticks;
}

/**
 * A span's place on the axis.
 *
 * @param {{ start: bigint | undefined, end: bigint | undefined }} span
 * @param {{ start: bigint, duration: bigint }} axis
 * @returns {{ left: number, width: number, nanos: bigint, note: string }} percents within 0..100; `note` says what
 *   is wrong with the times, or is empty
 */
export function placeSpan(span, axis) {
  const start = span.start ?? span.end;
  if (start === undefined) return { left: 0, width: 0, nanos: 0n, note: 'no times' };
  const end = span.end ?? start;
  const left = percentOf(start - axis.start, axis.duration);
  if (span.start === undefined) return { left, width: 0, nanos: 0n, note: 'no start' };
  if (span.end === undefined) return { left, width: 0, nanos: 0n, note: 'no end' };
  if (end < start) return { left, width: 0, nanos: 0n, note: 'negative' };
  const right = percentOf(end - axis.start, axis.duration);
  return { left, width: right - left, nanos: end - start, note: '' };
}

/**
 * An instant's place on the axis in percent, kept within 0..100.
 *
 * @param {bigint} time
 * @param {{ start: bigint, duration: bigint }} axis
 */
export function placeInstant(time, axis) {
  return percentOf(time - axis.start, axis.duration);
}

/**
 * How long something took beside the longest, in percent, on a logarithmic scale from 1 ms: one slow trace must
 * not flatten all others.
 */
export function logShare(nanos, longest) {
  const log = (value) => Math.log1p(Number(value) / 1e6);
  return longest <= 0n ? 0 : (100 * log(nanos)) / log(longest);
}

/** Nanoseconds since the epoch as epoch milliseconds, or undefined beyond what a Date holds. */
export function toEpochMillis(nanos) {
  const millis = Number(nanos / 1_000_000n);
  return Math.abs(millis) <= 8.64e15 ? millis : undefined;
}

/** `12.4 kB`. */
export function formatBytes(bytes) {
  if (!(bytes >= 1000)) return `${Math.max(0, Math.round(bytes) || 0)} B`;
  const [unit, size] = bytes >= 1e6 ? /** @type {const} */ (['MB', 1e6]) : /** @type {const} */ (['kB', 1e3]);
  return `${threeDigits(bytes / size)} ${unit}`;
}

// Millionths in integers first: a Number of nanoseconds since the epoch has lost its last digits.
/** @param {bigint} part @param {bigint} whole */
function percentOf(part, whole) {
  if (whole <= 0n) return 0;
  const percent = Number((part * 100_000_000n) / whole) / 1_000_000;
  return Math.min(100, Math.max(0, percent));
}

/** @param {bigint} atLeast */
function roundStep(atLeast) {
  let power = 1n;
  while (power * 10n <= atLeast) power *= 10n;
  for (const factor of [1n, 2n, 5n]) if (power * factor >= atLeast) return power * factor;
  return power * 10n;
}

/** @param {bigint} nanos @param {bigint} size @param {string} unit @param {bigint} smallSize @param {string} smallUnit */
function twoUnits(nanos, size, unit, smallSize, smallUnit) {
  const rest = (nanos % size) / smallSize;
  return rest === 0n ? `${nanos / size} ${unit}` : `${nanos / size} ${unit} ${rest} ${smallUnit}`;
}

function threeDigits(value) {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}
