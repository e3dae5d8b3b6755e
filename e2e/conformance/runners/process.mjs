/** A runtime that is a program: it prints `port {number}` once it serves. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { ensureTool } from '../../support/tools.mjs';

const START_MILLIS = 20_000;

/** Where the programs are, which are got from npm where they are not. */
export const bun = () => path.join(ensureTool('bun'), 'bin/bun.exe');
export const deno = () => path.join(ensureTool('deno'), 'deno');

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<import('./index.mjs').Runtime>}
 */
export function startProcess(command, args) {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], DENO_NO_UPDATE_CHECK: '1' },
  });
  let said = '';
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(new Error('it did not start in time')), START_MILLIS);
    const fail = (/** @type {Error} */ error) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${command}: ${error.message}\n${said}`));
    };
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`it ended with ${code}`)));
    child.stderr.on('data', (text) => {
      said += text;
    });
    child.stdout.on('data', (text) => {
      said += text;
      const port = /^port (\d+)$/m.exec(said)?.[1];
      if (!port) return;
      clearTimeout(timer);
      resolve({
        origin: `http://127.0.0.1:${port}`,
        said: () => said,
        close: () =>
          new Promise((done) => {
            if (child.exitCode !== null || child.signalCode !== null) return done();
            child.once('exit', () => done());
            child.kill('SIGKILL');
          }),
      });
    });
  });
}
