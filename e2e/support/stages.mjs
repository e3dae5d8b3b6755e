// Runs stages of `npm test` and `npm run test:all` one after the other, whatever becomes of each, and tells what they said.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

/**
 * @typedef {object} Stage
 * @property {string} name
 * @property {string} about What it does, in a few words.
 * @property {[command: string, ...args: string[]]} run
 * @property {true} [first] Nothing else can run when this one fails.
 *
 * @typedef {object} Outcome
 * @property {string} name
 * @property {number} passed
 * @property {number} failed
 * @property {number} seconds
 * @property {string[]} told The lines that name what failed.
 * @property {true} [notRun]
 */

/** The closing lines of Playwright's reporter here and of the conformance suite; of the faults; of Node's test runner. */
const COUNTS = [
  /^(\d+) passed, (\d+) failed/gm,
  /^(\d+) as expected, (\d+) not/gm,
  /^(?:#|ℹ) pass (\d+)\r?\n(?:#|ℹ) fail (\d+)\r?\n(?:#|ℹ) cancelled (\d+)/gm,
];
const FAILURE = /^\s*(?:✖|✗|✘|not ok|\d+\) \[)(?! failing tests).*/gm;
const MOST_FAILURES = 20;

/**
 * What a stage counted. One that counts nothing is one test itself, and so is a failure that none of its tests is.
 *
 * @param {string} output
 * @param {boolean} isFine Its exit code is 0.
 */
export function countsOf(output, isFine) {
  const [last] = COUNTS.flatMap((pattern) => [...output.matchAll(pattern)]).sort((a, b) => b.index - a.index);
  const [passed = 0, ...failures] = (last ?? []).slice(1).map(Number);
  const failed = failures.reduce((sum, count) => sum + count, 0);
  if (isFine) return { passed: last ? passed : 1, failed };
  return { passed, failed: failed || 1 };
}

/** @param {Stage} stage @param {string} folder For what it says. @param {NodeJS.WritableStream} out @returns {Promise<Outcome>} */
async function play({ name, about, run: [command, ...args] }, folder, out) {
  out.write(`\n── ${name}: ${about}\n\n`);
  const begun = performance.now();
  const file = createWriteStream(`${folder}/${name}.txt`);
  const child = spawn(command, args, { stdio: ['inherit', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      output += text;
      out.write(text);
      file.write(text);
    });
  }
  const code = await new Promise((resolve) => child.once('error', resolve).once('close', resolve));
  file.end();
  const text = stripVTControlCharacters(output);
  const told = [
    ...new Set([...text.matchAll(FAILURE)].map(([line]) => line.trim().replace(/ \([\d.]+ms\)$/, ''))),
  ];
  const seconds = (performance.now() - begun) / 1000;
  return { name, ...countsOf(text, code === 0), seconds, told: code === 0 ? [] : told };
}

/** @param {number} seconds */
const clock = (seconds) =>
  seconds < 60 ? `${seconds.toFixed(0)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

/** @param {readonly Outcome[]} outcomes @param {string} folder */
function reportOf(outcomes, folder) {
  const rows = outcomes.map(({ name, passed, failed, seconds, notRun }) => [
    failed ? '✖' : notRun ? '-' : '✔',
    name,
    ...(notRun ? ['not run', '', ''] : [`${passed} passed`, `${failed} failed`, clock(seconds)]),
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column > 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  '),
  );
  for (const { name, failed, told } of outcomes) {
    if (!failed) continue;
    lines.push('', `${name}, of which all is in ${folder}/${name}.txt:`);
    for (const line of told.slice(0, MOST_FAILURES)) lines.push(`  ${line}`);
    if (told.length > MOST_FAILURES) lines.push(`  and ${told.length - MOST_FAILURES} more`);
  }
  return lines.join('\n');
}

/**
 * @param {readonly Stage[]} stages
 * @param {string} folder Where what they say is kept.
 * @param {NodeJS.WritableStream} [out]
 * @returns {Promise<boolean>} Whether nothing failed.
 */
export async function playStages(stages, folder, out = process.stdout) {
  mkdirSync(folder, { recursive: true });
  /** @type {Outcome[]} */
  const outcomes = [];
  let reason = '';
  for (const stage of stages) {
    const { name } = stage;
    if (reason) {
      outcomes.push({ name, passed: 0, failed: 0, seconds: 0, told: [], notRun: true });
      continue;
    }
    const outcome = await play(stage, folder, out);
    outcomes.push(outcome);
    if (stage.first && outcome.failed)
      reason = `The stage "${name}" failed: without it nothing else can run.`;
  }
  const sum = (/** @type {'passed' | 'failed'} */ key) =>
    outcomes.reduce((total, outcome) => total + outcome[key], 0);
  out.write(`\n── report\n\n${reportOf(outcomes, folder)}\n${reason && `\n${reason}\n`}`);
  out.write(`\n${sum('passed')} passed, ${sum('failed')} failed\n`);
  return sum('failed') === 0;
}
