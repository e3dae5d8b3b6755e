// `npm run test:unit [-- words]`: every test that needs no browser. Words choose files whose names hold them. The files
// are listed here because Node 20's test runner takes folders and no patterns, and Node 22's takes patterns and no
// folders. `--ahead` chooses what lists by time, and runs it with the clock 400 days ahead: no test may depend on its day.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
// By its file: what npm puts beside it is another file on Windows.
const TSC = `${root}node_modules/typescript/bin/tsc`;
const FOLDERS = [
  '.cache/unit/src',
  'demo',
  'e2e/adapters',
  'e2e/cli',
  'e2e/faults',
  'e2e/package',
  'e2e/support',
];
const LISTS_BY_TIME = /^(\.cache\/unit\/src\/(cli|forward|server)|demo|e2e\/cli)\//;
const DAYS_AHEAD = 400;

/** @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
const run = (command, args, env = process.env) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
};

rmSync(`${root}.cache/unit`, { recursive: true, force: true });
run(process.execPath, [TSC, '-p', 'e2e/tsconfig.json']);

const words = process.argv.slice(2).filter((word) => word !== '--ahead');
const isAhead = process.argv.includes('--ahead');
const files = FOLDERS.filter((folder) => existsSync(root + folder))
  .flatMap((folder) => readdirSync(root + folder, { recursive: true }).map((name) => `${folder}/${name}`))
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => /\.test\.m?js$/.test(name))
  .filter((name) => !words.length || words.some((word) => name.includes(word)))
  .filter((name) => !isAhead || LISTS_BY_TIME.test(name));
if (!files.length) {
  console.error('no test matches');
  process.exit(1);
}
const clock = new URL('days-ahead.mjs', import.meta.url).href;
const ahead = { SPANDREL_DAYS_AHEAD: String(DAYS_AHEAD), NODE_OPTIONS: `--import ${clock}` };
// Two at a time: several files start a Miniflare of their own.
run(
  process.execPath,
  ['--test', '--test-concurrency=2', '--test-reporter=spec', ...files],
  isAhead ? { ...process.env, ...ahead } : process.env,
);
