import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BUN = fileURLToPath(new URL('../../node_modules/.bin/bun', import.meta.url));

/** YAML by Bun's parser: Node has none, and Bun is here for other tests. @param {string} text @returns {any} */
export const parseYaml = (text) =>
  JSON.parse(
    execFileSync(BUN, ['-e', 'console.log(JSON.stringify(Bun.YAML.parse(await Bun.stdin.text())))'], {
      input: text,
      encoding: 'utf8',
      timeout: 30_000,
    }),
  );
