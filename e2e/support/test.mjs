// `npm test`: the first stages; `npm run test:all`: all others. With names: those stages. One after the other; one that fails
// hides no other.
import { fileURLToPath } from 'node:url';
import { playStages } from './stages.mjs';

/** @type {import('./stages.mjs').Stage[]} */
const STAGES = [
  { name: 'build', about: 'compiles and bundles src/ into dist/', run: ['npm', 'run', 'build'], first: true },
  { name: 'check', about: 'format, lint, types, and which file imports which', run: ['npm', 'run', 'check'] },
  { name: 'unit', about: 'what needs no browser', run: ['npm', 'run', 'test:unit'] },
  { name: 'chromium', about: 'pages in Chromium', run: ['npm', 'run', 'e2e', '--', '--project=chromium'] },
  {
    name: 'ahead',
    about: 'of these, what lists by time, with the clock 400 days ahead',
    run: ['npm', 'run', 'test:ahead'],
  },
  { name: 'conformance', about: 'each case in eight runtimes', run: ['npm', 'run', 'conformance'] },
  { name: 'stores', about: 'uploads to a real S3 server, Ceph', run: ['npm', 'run', 'stores'] },
  {
    name: 'engines',
    about: 'the recipes in DuckDB, ClickHouse and a collector',
    run: ['npm', 'run', 'engines'],
  },
  { name: 'firefox', about: 'pages in Firefox', run: ['npm', 'run', 'e2e', '--', '--project=firefox'] },
  { name: 'webkit', about: 'pages in WebKitGTK', run: ['npm', 'run', 'webkit'] },
  { name: 'faults', about: 'what survives what, in browsers', run: ['node', 'e2e/faults/run.mjs', '--ci'] },
  { name: 'soak', about: 'one page for a minute, in trouble', run: ['node', 'e2e/soak/run.mjs', '--ci'] },
];

/** What `npm test` runs: what a change is tested by before anybody else sees it. */
const FIRST = ['build', 'check', 'unit', 'chromium'];

process.chdir(fileURLToPath(new URL('../../', import.meta.url)));
const words = process.argv.slice(2).filter((word) => word !== '--all');
const isAll = words.length < process.argv.length - 2;
const unknown = words.filter((word) => !STAGES.some(({ name }) => name === word));
if (unknown.length) {
  console.error(`no stage "${unknown.join(' ')}": there are ${STAGES.map(({ name }) => name).join(', ')}`);
  process.exit(1);
}
// Ctrl+C reaches the stage as well, and ends all.
process.once('SIGINT', () => process.exit(130));
const isWanted = (/** @type {string} */ name) =>
  words.length ? words.includes(name) : name === 'build' || FIRST.includes(name) !== isAll;
const isFine = await playStages(
  STAGES.filter(({ name }) => isWanted(name)),
  '.cache/test',
);
if (isFine && !words.length && !isAll) console.log('`npm run test:all` runs the other stages.');
process.exitCode = isFine ? 0 : 1;
