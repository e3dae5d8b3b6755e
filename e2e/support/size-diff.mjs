// `node e2e/support/size-diff.mjs ../base`: what a change does to the sizes, as Markdown. Both checkouts are built.
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { BUDGETS, measure } from './sizes.mjs';

/** @typedef {Record<string, { minified: number, brotli: number }>} Sizes */

/** @param {number} bytes */
const number = (bytes) => bytes.toLocaleString('en');

/**
 * @param {Sizes} before
 * @param {Sizes} after
 * @param {Record<string, number>} budgets
 * @returns {string} A Markdown table.
 */
export function tableOf(before, after, budgets) {
  const rows = [...new Set([...Object.keys(after), ...Object.keys(before)])].map((name) => {
    const [was, is] = [before[name]?.brotli, after[name]?.brotli];
    const change = was === undefined || is === undefined ? undefined : is - was;
    const cells = [
      was === undefined ? 'new' : number(was),
      is === undefined ? 'gone' : number(is),
      change === undefined ? '' : change > 0 ? `**+${number(change)}**` : number(change).replace('-', '−'),
      budgets[name] === undefined ? '' : number(budgets[name]),
    ];
    return `| ${name} | ${cells.join(' | ')} |`;
  });
  return [
    '### Sizes, in bytes after Brotli\n',
    '| what | before | after | change | budget |\n| --- | --: | --: | --: | --: |',
    ...rows,
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const base = pathToFileURL(path.join(path.resolve(process.argv[2] ?? ''), 'e2e/support/sizes.mjs'));
  const { measure: measureBase } = await import(base.href);
  console.log(tableOf(await measureBase(), await measure(), BUDGETS));
}
