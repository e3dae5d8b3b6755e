// Tools that are heavy and that neither the package nor the demo needs: so they are no devDependencies, but are got from
// npm by whoever needs one, once, each into a folder of its own below .cache/tools. Versions are exact.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is used in one version only. */
export const VERSIONS = {
  '@arethetypeswrong/cli': '0.18.5',
  '@biomejs/biome': '2.6.8',
  '@duckdb/node-api': '1.5.6-r.1',
  '@microlabs/otel-cf-workers': '1.0.0-rc.52',
  '@sentry/browser': '11.12.0',
  bun: '1.4.5',
  chdb: '3.4.0',
  deno: '2.9.6',
  esbuild: '0.28.2',
  'happy-dom': '21.0.4',
  // The last for every Node 20.
  jsdom: '26.1.0',
  react: '19.3.1',
  'react-dom': '19.3.1',
  'react-router': '7.18.5',
  vite: '8.4.0',
  vue: '3.5.45',
  'vue-router': '4.6.5',
  webpack: '5.113.0',
  wrangler: '4.116.0',
};

/** Of their dependencies, whose install scripts run: those that put the program in its place. */
const ALLOWED_SCRIPTS = {
  bun: true,
  deno: true,
  esbuild: false,
  protobufjs: false,
  sharp: false,
  workerd: false,
};

const FOLDER = fileURLToPath(new URL('../../.cache/tools/', import.meta.url));
const FLAGS = ['--no-save', '--no-package-lock', '--no-fund', '--no-audit', '--loglevel=error'];

/**
 * Packages of exact versions, installed together: those present, else npm's.
 *
 * @param {Record<string, string>} packages Versions by name.
 * @returns {string} The folder that holds their `node_modules`.
 * @throws {Error} that says what could not be had.
 */
export function ensureTools(packages) {
  const wanted = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  const folder = path.join(FOLDER, wanted.join('+').replaceAll('/', '+'));
  if (existsSync(folder)) return folder;
  console.error(`getting ${wanted.join(', ')} from npm, once, into ${path.relative('', folder)}`);
  mkdirSync(FOLDER, { recursive: true });
  // Under another name until it is whole: it may be cut short, and others may want the same at this moment.
  const unfinished = mkdtempSync(`${FOLDER}unfinished-`);
  // Else npm takes the nearest package.json above for the one to install into.
  const manifest = { private: true, allowScripts: ALLOWED_SCRIPTS };
  writeFileSync(path.join(unfinished, 'package.json'), JSON.stringify(manifest));
  const { status, error } = spawnSync('npm', ['install', '--prefix', unfinished, ...FLAGS, ...wanted], {
    stdio: ['ignore', 2, 2],
  });
  try {
    if (status !== 0)
      throw new Error(
        `No ${wanted.join(', ')}: npm could not install it (${error?.message ?? `exit code ${status}`})`,
      );
    if (!existsSync(folder)) renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/**
 * One package.
 *
 * @param {string} name
 * @param {string} [version] The one in {@link VERSIONS}, unless another is wanted.
 * @returns {string} The package's own folder, where its programs are.
 */
export const ensureTool = (name, version = versionOf(name)) =>
  path.join(ensureTools({ [name]: version }), 'node_modules', name);

/**
 * Loads a package, which need not be an ES module.
 *
 * @param {string} name
 * @param {string} [version]
 */
export const requireTool = (name, version = versionOf(name)) =>
  createRequire(path.join(ensureTools({ [name]: version }), 'index.js'))(name);

/** What the pages of `e2e/frameworks/` are made with. @returns {string} The folder that holds its `node_modules`. */
export const ensureFrameworks = () =>
  ensureTools(
    Object.fromEntries(
      ['react', 'react-dom', 'react-router', 'vue', 'vue-router'].map((name) => [name, versionOf(name)]),
    ),
  );

/** @param {string} name */
function versionOf(name) {
  const version = VERSIONS[/** @type {keyof typeof VERSIONS} */ (name)];
  if (!version) throw new TypeError(`"${name}" has no version in e2e/support/tools.mjs`);
  return version;
}
