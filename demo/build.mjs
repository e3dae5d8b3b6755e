// The first half of `npm start`: builds the package where a source is newer than what was built of it, and says so.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Of dependencies `package.json`: npm writes the lock anew at each install. */
const SOURCES = [
  'src',
  'demo/viewer',
  'demo/style.css',
  'demo/icon.svg',
  'rollup.config.mjs',
  'tsconfig.json',
  'package.json',
];
/** Made one after the other: a build that was cut short leaves the last ones old. */
const OUTPUTS = ['cli.js', 'late.js', 'script.js', 'stub.js'];
const isTest = (/** @type {string} */ name) => /\.test\.\w+$|[\\/]testing\b/.test(name);

/** Everything at and below a path; a folder too, as its time tells of files that are gone. @param {string} at @returns {string[]} */
function below(at) {
  if (!statSync(at).isDirectory()) return [at];
  return [at, ...readdirSync(at, { recursive: true }).map((name) => path.join(at, String(name)))];
}

/**
 * Whether a build is older than its sources, or not there.
 *
 * @param {string} root The repository's folder.
 * @param {readonly string[]} [sources] Files and folders in it; tests below them do not count.
 */
export function isOutdated(root, sources = SOURCES) {
  const newest = (/** @type {string[]} */ files) => Math.max(...files.map((file) => statSync(file).mtimeMs));
  try {
    const files = sources.flatMap((name) => below(path.join(root, name))).filter((file) => !isTest(file));
    const built = OUTPUTS.map((name) => statSync(path.join(root, 'dist', name)).mtimeMs);
    return newest(files) > Math.min(...built);
  } catch {
    return true;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = fileURLToPath(new URL('../', import.meta.url));
  if (isOutdated(root)) {
    console.log(
      'Building the package into dist/: types, then bundles. It takes some 10 seconds, and only after a change.',
    );
    const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
    process.exitCode = status ?? 1;
  } else {
    console.log('dist/ is newer than its sources: nothing to build.');
  }
}
