// The built command as a process, as an operator runs it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

const { NODE_OPTIONS = '', SPANDREL_DAYS_AHEAD } = process.env;

/** The clock that the suite runs with: see `e2e/support/days-ahead.mjs`. @type {Record<string, string>} */
export const CLOCK = SPANDREL_DAYS_AHEAD ? { NODE_OPTIONS, SPANDREL_DAYS_AHEAD } : {};

/**
 * @typedef {object} Run
 * @property {number | null} code
 * @property {string} stdout
 * @property {string} stderr
 * @property {any} json What stdout holds, parsed; throws when it is not one JSON document.
 */

/**
 * Starts `spandrel` with an environment of nothing but `env` and the clock.
 *
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 * @param {string} [cwd] Where it runs; default here.
 */
export function start(args, env = {}, cwd = process.cwd()) {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', ...CLOCK, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(
    ([code]) =>
      /** @type {Run} */ ({
        code,
        stdout,
        stderr,
        get json() {
          return JSON.parse(stdout);
        },
      }),
  );
  return {
    child,
    ended,
    /** Resolves with the match once stdout or stderr has it. @param {RegExp} mark */
    async said(mark) {
      for (;;) {
        const match = mark.exec(stdout + stderr);
        if (match) return match;
        if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${stdout}${stderr}`);
        await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), ended]);
      }
    },
  };
}

/** @param {string[]} args @param {Record<string, string>} [env] @param {string} [cwd] */
export const spandrel = (args, env, cwd) => start(args, env, cwd).ended;
