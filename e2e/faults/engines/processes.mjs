import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * @typedef {object} Process
 * @property {number} pid
 * @property {number} parent
 * @property {string} command With its arguments, parted by spaces.
 */

/** A killed browser is gone within this time, or something is wrong. */
const GONE_MILLIS = 10_000;

/** @returns {Process[]} */
function allProcesses() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        // The second field, the name, may hold spaces and brackets of its own.
        const [state, parent] =
          readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').pop()?.split(' ') ?? [];
        return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent), command }];
      } catch {
        return []; // Gone meanwhile.
      }
    });
}

/** @param {Process[]} all @param {number} parent @returns {Process[]} */
const below = (all, parent) =>
  all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(all, one.pid)]);

/** All processes of the browser that runs on a profile. @param {string} profile Its folder. */
export function browserProcesses(profile) {
  const all = allProcesses();
  const named = all.filter(({ command, pid }) => command.includes(profile) && pid !== process.pid);
  const pids = new Map(
    [...named, ...named.flatMap(({ pid }) => below(all, pid))].map((one) => [one.pid, one]),
  );
  return [...pids.values()];
}

/** SIGKILL; resolves once all are gone. @param {Process[]} processes */
export async function killProcesses(processes) {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone with its parent.
    }
  }
  const pids = new Set(processes.map(({ pid }) => pid));
  const deadline = Date.now() + GONE_MILLIS;
  while (allProcesses().some(({ pid }) => pids.has(pid))) {
    if (Date.now() > deadline) throw new Error('a killed browser is still there');
    await delay(10);
  }
}
