import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { isOutdated } from './build.mjs';

test('build: only when a source is newer than what was built of it, or gone, or nothing is built', (context) => {
  const root = mkdtempSync(path.join(tmpdir(), 'spandrel-build-'));
  context.after(() => rmSync(root, { recursive: true }));
  const at = (/** @type {string} */ name, /** @type {number} */ seconds) =>
    utimesSync(path.join(root, name), seconds, seconds);
  const write = (/** @type {string} */ name, /** @type {number} */ seconds) => {
    writeFileSync(path.join(root, name), '');
    at(name, seconds);
  };
  for (const folder of ['src', 'src/deep', 'dist']) mkdirSync(path.join(root, folder));
  for (const name of ['src/a.ts', 'src/deep/b.ts', 'src/gone.ts', 'config.mjs']) write(name, 1_000);
  const settle = () => {
    for (const name of ['src', 'src/deep']) at(name, 1_000);
  };
  settle();
  const outdated = () => isOutdated(root, ['src', 'config.mjs']);

  assert.equal(outdated(), true, 'nothing is built');
  for (const name of ['dist/cli.js', 'dist/late.js', 'dist/script.js']) write(name, 2_000);
  assert.equal(outdated(), true, 'a build that was cut short');
  write('dist/stub.js', 2_001);
  assert.equal(outdated(), false);
  for (const name of ['src/a.ts', 'src/deep/b.ts', 'config.mjs']) {
    at(name, 3_000);
    assert.equal(outdated(), true, name);
    at(name, 1_000);
  }
  rmSync(path.join(root, 'src/gone.ts'));
  assert.equal(outdated(), true, 'a source is gone');
  settle();
  write('src/a.test.ts', 3_000);
  settle();
  assert.equal(outdated(), false, 'a test is no source');
  rmSync(path.join(root, 'config.mjs'));
  assert.equal(outdated(), true, 'a source that must be there is not');
});
