// Part of `npm run check`: TypeScript and JavaScript of the tests and of the demo. What the bundler made is read for its
// types alone: its sources are checked as it is built.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROJECTS = [
  'e2e/tsconfig.node.json',
  'e2e/tsconfig.pages.json',
  'e2e/tsconfig.bench.json',
  'demo/tsconfig.json',
];
const BUILT = /^(dist|\.cache)\//;

const root = fileURLToPath(new URL('../../', import.meta.url));
/** A finding begins a line; what explains it is indented. @param {string} output */
const findingsOf = (output) => output.split(/\n(?=\S)/).filter((text) => text.trim() && !BUILT.test(text));

const found = new Set();
for (const project of PROJECTS) {
  const { stdout, stderr, error } = spawnSync('npx', ['tsc', '-p', project, '--pretty', 'false'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  if (error) throw error;
  for (const finding of findingsOf(stdout + stderr)) found.add(finding.trim());
}
for (const finding of found) console.log(finding);
process.exitCode = found.size ? 1 : 0;
