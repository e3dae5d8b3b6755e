// The package as a user has it: packed, and installed into an empty folder, outside of the repository.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

/** What it asks for, and what its README says to install. */
const PEERS = ['@opentelemetry/api', '@opentelemetry/sdk-trace-web'];

/**
 * @param {string[]} [beside] Further packages, in the versions that the repository has.
 * @returns {Promise<{ folder: string, remove: () => Promise<void> }>}
 */
export async function install(beside = []) {
  const { devDependencies } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'spandrel-installed-')));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    // The build under test is the one that is there.
    const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
    const [{ filename }] = JSON.parse((await run('npm', pack, { cwd: root })).stdout);
    await writeFile(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    const others = [...PEERS, ...beside].map((name) => `${name}@${devDependencies[name]}`);
    const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
    await run('npm', ['install', ...flags, `./${filename}`, ...others], { cwd: folder });
    return { folder, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
