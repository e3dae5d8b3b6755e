import { execFileSync } from 'node:child_process';
import { bun } from '../conformance/runners/process.mjs';

/** YAML by Bun's parser: Node has none, and Bun is here for other tests. @param {string} text @returns {any} */
export const parseYaml = (text) =>
  JSON.parse(
    execFileSync(bun(), ['-e', 'console.log(JSON.stringify(Bun.YAML.parse(await Bun.stdin.text())))'], {
      input: text,
      encoding: 'utf8',
      timeout: 30_000,
    }),
  );
