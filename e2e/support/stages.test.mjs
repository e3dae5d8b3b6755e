import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { countsOf, playStages } from './stages.mjs';

/** @param {string} name @param {string} code @returns {import('./stages.mjs').Stage} */
const stage = (name, code) => ({ name, about: 'a test', run: [process.execPath, '-e', code] });

/** @param {import('./stages.mjs').Stage[]} stages */
async function play(stages) {
  const folder = mkdtempSync(path.join(tmpdir(), 'spandrel-stages-'));
  let said = '';
  const out = new Writable({
    write(text, _encoding, done) {
      said += text;
      done();
    },
  });
  const isFine = await playStages(stages, folder, out);
  const kept = stages.map(
    ({ name }) =>
      () =>
        readFileSync(path.join(folder, `${name}.txt`), 'utf8'),
  );
  return { isFine, said, kept, done: () => rmSync(folder, { recursive: true }) };
}

const NODE = (/** @type {number[]} */ [pass, fail, cancelled]) =>
  `ℹ tests 9\nℹ suites 0\nℹ pass ${pass}\nℹ fail ${fail}\nℹ cancelled ${cancelled}\nℹ skipped 0\n`;

test('stages: what each kind of suite counted is read from what it said', () => {
  for (const [said, isFine, expected] of /** @type {const} */ ([
    [NODE([7, 0, 0]), true, { passed: 7, failed: 0 }],
    [NODE([7, 2, 1]), false, { passed: 7, failed: 3 }],
    [NODE([7, 2, 1]).replaceAll('ℹ', '#'), false, { passed: 7, failed: 3 }],
    ['12 passed, 1 failed, in 30 s\n', false, { passed: 12, failed: 1 }],
    ['  12 passed (24m)\n11 passed, 0 failed\n', true, { passed: 11, failed: 0 }],
    ['118 as expected, 2 not, 1 not played\n', false, { passed: 118, failed: 2 }],
    // The last is the suite's own: the first may be a test's.
    [`3 passed, 3 failed\n${NODE([9, 0, 0])}`, true, { passed: 9, failed: 0 }],
    // A stage without counts, and failures that no test tells: a browser that does not start, a crash at the end.
    ['', true, { passed: 1, failed: 0 }],
    ['', false, { passed: 0, failed: 1 }],
    ['7 passed, 0 failed\n', false, { passed: 7, failed: 1 }],
  ]))
    assert.deepEqual(countsOf(said, isFine), expected, said);
});

test('stages: one that fails, or does not start, hides no other, and the last line sums them', async () => {
  const { isFine, said, kept, done } = await play([
    stage('build', ''),
    stage(
      'unit',
      'console.error("✖ the moon is full (3.25ms)"); console.log("4 passed, 1 failed"); process.exit(1)',
    ),
    { name: 'stores', about: 'a test', run: ['there-is-no-such-program'] },
    stage('e2e', 'console.log("30 passed, 0 failed")'),
    stage('webkit', 'process.kill(process.pid, "SIGKILL")'),
  ]);
  assert.equal(isFine, false);
  assert.match(said, /\n35 passed, 3 failed\n$/);
  const report = said.slice(said.indexOf('── report'));
  for (const line of [
    /✔ {2}build/,
    /✖ {2}unit .*4 passed.*1 failed/,
    /✖ {2}stores/,
    /✔ {2}e2e/,
    /✖ {2}webkit/,
  ])
    assert.match(report, line);
  assert.match(report, /\n {2}✖ the moon is full\n/);
  assert.match(kept[1]?.() ?? '', /moon/);
  done();
});

test('stages: without the build nothing else runs, and the report says so', async () => {
  const { isFine, said, done } = await play([
    { ...stage('build', 'process.exit(2)'), first: true },
    stage('unit', 'console.log("this ran")'),
  ]);
  assert.equal(isFine, false);
  assert.doesNotMatch(said, /this ran/);
  assert.match(said, /- {2}unit +not run/);
  assert.match(said, /The stage "build" failed: without it nothing else can run\.\n\n0 passed, 1 failed\n$/);
  done();
});

test('stages: all fine', async () => {
  const { isFine, said, done } = await play([
    stage('build', ''),
    stage('unit', 'console.log("4 passed, 0 failed")'),
  ]);
  assert.equal(isFine, true);
  assert.match(said, /\n5 passed, 0 failed\n$/);
  done();
});
