/** @typedef {import('./verdict.mjs').Row} Row */

const COLUMNS = ['case', 'engine', 'at once', 'delivered', 'duplicates', 'requests', 'bytes', 'note'];
const ENGINE_TITLES = { chromium: 'Chromium', firefox: 'Firefox', webkit: 'WebKitGTK' };

/** Rounded down, so that 100 is all. @param {number} percent */
const percentText = (percent) => `${Math.floor(percent * 100) / 100} %`;

/** @param {number} number Whole, or with one decimal. */
const numberText = (number) => String(Math.round(number * 10) / 10);

/** @param {number} bytes */
const bytesText = (bytes) => (bytes < 1_000 ? `${Math.round(bytes)} B` : `${numberText(bytes / 1_000)} kB`);

/** @param {Row} row */
const duplicatesText = ({ duplicateSpans, duplicateObjects }) =>
  duplicateSpans + duplicateObjects === 0 ? '0' : `${duplicateSpans} spans, ${duplicateObjects} objects`;

/** @param {Row} row */
const requestsText = ({ requests }) => `${numberText(requests.endpoint)} + ${numberText(requests.bucket)}`;

/** @param {Row} row */
function cells(row) {
  const { name, engine, percent, atOncePercent, bytes, plays, note } = row;
  if (!plays) return [name, engine, '–', '–', '–', '–', '–', note];
  const shares = [percentText(atOncePercent), percentText(percent)];
  return [name, engine, ...shares, duplicatesText(row), requestsText(row), bytesText(bytes), note];
}

/**
 * The table for a terminal.
 *
 * @param {readonly Row[]} rows
 */
export function textTable(rows) {
  const lines = [COLUMNS, ...rows.map(cells)];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/**
 * The table of README.md beside this: a line per case, a column per engine, and what was not played or is done otherwise
 * below it.
 *
 * @param {readonly Row[]} rows
 * @param {{ date: string, versions: Partial<Record<Row['engine'], string>>, repeat: number }} about
 */
export function markdownTable(rows, { date, versions, repeat }) {
  const engines = [...new Set(rows.map(({ engine }) => engine))];
  const names = [...new Set(rows.map(({ name }) => name))];
  const of = (/** @type {string} */ name, /** @type {Row['engine']} */ engine) =>
    rows.find((row) => row.name === name && row.engine === engine);
  /** @type {string[]} */
  const notes = [];
  const mark = (/** @type {Row} */ { engine, note }) => {
    if (!note) return '';
    const text = `${ENGINE_TITLES[engine]}: ${note}.`;
    if (!notes.includes(text)) notes.push(text);
    return ` (${notes.indexOf(text) + 1})`;
  };
  const cell = (/** @type {Row | undefined} */ row) => {
    if (!row) return '';
    if (!row.plays) return `–${mark(row)}`;
    const [, , atOnce, delivered, duplicates, requests, bytes] = cells(row);
    const share = atOnce === delivered ? delivered : `${atOnce}, later ${delivered}`;
    return `${share}, ${duplicates}; ${requests}; ${bytes}${mark(row)}`;
  };
  const line = (/** @type {string[]} */ columns) => `| ${columns.join(' | ')} |`;
  const titles = engines.map((engine) => `${ENGINE_TITLES[engine]} ${versions[engine] ?? ''}`.trim());
  const played = repeat === 1 ? 'each case once' : `each case ${repeat} times`;
  return [
    line(['what happens', ...titles]),
    line(['---', ...engines.map(() => '---')]),
    ...names.map((name) => {
      const found = engines.map((engine) => of(name, engine));
      return line([found.find(Boolean)?.title ?? name, ...found.map(cell)]);
    }),
    '',
    `Measured on ${date}, ${played}: spans delivered, where a later visit brings more with both shares, duplicates; requests to the endpoint + to the bucket, preflights`,
    'included; bytes sent.',
    ...(notes.length ? ['', ...notes.map((note, index) => `${index + 1}. ${note}`)] : []),
    '',
  ].join('\n');
}
