// Debian's packages, for what tests need and npm does not have.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** @param {string[]} args */
const aptGet = (args) => spawnSync('apt-get', args, { stdio: 'inherit' });

/** Installs packages where this is root on a Debian; elsewhere does nothing. @param {readonly string[]} packages */
export function installPackages(packages) {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  aptGet(['update']);
  aptGet(['install', '-y', '--no-install-recommends', ...packages]);
}
