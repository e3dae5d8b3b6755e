/**
 * @typedef {object} Cell
 * @property {'ok' | 'failed' | 'cannot'} state
 * @property {string} [why] Of what failed or cannot be run.
 * @property {string} [text] What arrived, for comparison.
 */

const MARKS = { ok: '✓', failed: '✗', cannot: '–' };

/**
 * A line per case and a column per runtime; below it, why a case cannot run somewhere.
 *
 * @param {readonly string[]} runtimes
 * @param {ReadonlyMap<string, ReadonlyMap<string, Cell>>} rows By case and runtime.
 */
export function tableOf(runtimes, rows) {
  /** @type {string[]} */
  const reasons = [];
  const width = Math.max(...[...rows.keys()].map((name) => name.length));
  const lines = [...rows].map(([name, cells]) => {
    const marks = runtimes.map((runtime) => {
      const { state, why = '' } = cells.get(runtime) ?? { state: 'failed', why: '' };
      if (state !== 'cannot') return MARKS[state].padEnd(runtime.length);
      if (!reasons.includes(why)) reasons.push(why);
      return `${MARKS.cannot}${reasons.indexOf(why) + 1}`.padEnd(runtime.length);
    });
    return [name.padEnd(width), ...marks].join('  ').trimEnd();
  });
  return [
    [''.padEnd(width), ...runtimes].join('  '),
    ...lines,
    ...(reasons.length ? ['', ...reasons.map((why, at) => `–${at + 1}  ${why}`)] : []),
  ].join('\n');
}
