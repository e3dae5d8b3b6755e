// `npm run test:unit`: every test that needs no browser. The files are listed here because Node 20's test runner
// takes folders and no patterns, and Node 22's takes patterns and no folders.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};

rmSync(`${root}.cache/unit`, { recursive: true, force: true });
run('npx', ['tsc', '-p', 'e2e/tsconfig.json']);

const files = ['.cache/unit/src', 'demo', 'e2e/adapters', 'e2e/cli', 'e2e/faults', 'e2e/package']
  .filter((folder) => existsSync(root + folder))
  .flatMap((folder) => readdirSync(root + folder, { recursive: true }).map((name) => `${folder}/${name}`))
  .filter((name) => /\.test\.m?js$/.test(name));
const wanted = process.argv.slice(2);
const chosen = files.filter((name) => !wanted.length || wanted.some((word) => name.includes(word)));
if (!chosen.length) {
  console.error('no test matches');
  process.exit(1);
}
// Two at a time: several files start a Miniflare of their own.
run('node', ['--test', '--test-concurrency=2', ...chosen]);
