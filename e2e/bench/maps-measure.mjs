// A map as a minifier writes it: one line, a mapping every few columns, sources with their text.

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const LINES = 400;
const COLUMNS = 20;

/** @param {number} value */
function vlq(value) {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = '';
  do {
    const digit = rest & 31;
    rest >>>= 5;
    text += DIGITS[rest ? digit | 32 : digit];
  } while (rest);
  return text;
}

/**
 * @param {number} count of mappings
 * @returns {{ map: string, columns: number[] }} Columns, from 1, of the one line that is mapped.
 */
export function largeMap(count) {
  const perSource = LINES * COLUMNS;
  const sources = Math.ceil(count / perSource);
  const segments = [];
  const columns = [];
  let [column, lastLine, lastColumn] = [0, 0, 0];
  for (let index = 0; index < count; index += 1) {
    const step = index === 0 ? 0 : 3 + (index % 9);
    column += step;
    columns.push(column + 1);
    const line = Math.floor((index % perSource) / COLUMNS);
    const at = (index % COLUMNS) * 4;
    const isNext = index > 0 && index % perSource === 0;
    segments.push(
      [step, Number(isNext), line - lastLine, at - lastColumn, index === 0 ? 0 : 1].map(vlq).join(''),
    );
    [lastLine, lastColumn] = [line, at];
  }
  const text = Array.from(
    { length: LINES },
    (_, line) => `  const value${line} = compute(${line}); // as sources are`,
  );
  return {
    columns,
    map: JSON.stringify({
      version: 3,
      sources: Array.from({ length: sources }, (_, index) => `../src/part-${index}.ts`),
      sourcesContent: Array.from({ length: sources }, () => text.join('\n')),
      names: Array.from({ length: count }, (_, index) => `name${index}`),
      mappings: segments.join(','),
    }),
  };
}
