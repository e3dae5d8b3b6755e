// The engines and tools that the recipes are tested with, and how they are got where there are none. They are 800 MB, and
// nothing of the package needs them: so they are no devDependencies.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const PACKAGES = { '@duckdb/node-api': '1.5.6-r.1', chdb: '3.4.0', wrangler: '4.116.0' };
const FOLDER = fileURLToPath(new URL('../../.cache/engines/', import.meta.url));

/** Resolves what has been installed. Throws until {@link ensureEngines} has run. */
export const requireEngine = createRequire(`${FOLDER}index.js`);

/** @param {string} name @param {string} version */
function isThere(name, version) {
  const file = `${FOLDER}node_modules/${name}/package.json`;
  return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version;
}

const missing = () => Object.entries(PACKAGES).filter(([name, version]) => !isThere(name, version));

/**
 * Sees to it that DuckDB and ClickHouse are there, in the versions that the recipes name: those present, else npm's.
 *
 * @throws {Error} that says what to do.
 */
export function ensureEngines() {
  if (missing().length === 0) return;
  mkdirSync(FOLDER, { recursive: true });
  // Else npm takes the nearest package.json above for the one to install into.
  writeFileSync(`${FOLDER}package.json`, '{ "private": true }\n');
  const wanted = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
  const flags = ['--no-save', '--no-package-lock', '--no-fund', '--no-audit'];
  spawnSync('npm', ['install', '--prefix', FOLDER, ...flags, ...wanted], { stdio: 'inherit' });
  const names = missing().map(([name, version]) => `${name}@${version}`);
  if (names.length)
    throw new Error(
      `No ${names.join(' and no ')} for the tests of engines: npm could not install them to ${FOLDER}`,
    );
}
