// `node e2e/support/check-release.mjs v0.2.0`: a tag is published only where all that names the version agrees with it.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/**
 * @param {string} tag
 * @param {string} [root] The repository.
 * @returns {string[]} What disagrees, a line each.
 */
export function checkRelease(tag, root = REPOSITORY) {
  const read = (/** @type {string} */ name) => readFileSync(path.join(root, name), 'utf8');
  const { version } = JSON.parse(read('package.json'));
  const lock = JSON.parse(read('package-lock.json'));
  const [, inSource] = /VERSION: string = '([^']+)'/.exec(read('src/version.ts')) ?? [];
  const [, inChanges, changes = ''] =
    /^## (?!Unreleased)(\S+)[^\n]*\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(read('.github/CHANGELOG.md')) ?? [];
  const wrong = Object.entries({
    'the tag': tag.replace(/^v/, ''),
    'package-lock.json': lock.version,
    'package-lock.json, of the package itself': lock.packages[''].version,
    'src/version.ts': inSource,
    'the newest version of .github/CHANGELOG.md': inChanges,
  })
    .filter(([, said]) => said !== version)
    .map(([place, said]) => `${place} says ${said}, package.json says ${version}`);
  return changes.trim() ? wrong : [...wrong, `.github/CHANGELOG.md says nothing of ${inChanges}`];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wrong = checkRelease(process.argv[2] ?? '');
  for (const line of wrong) console.error(line);
  process.exitCode = wrong.length ? 1 : 0;
}
