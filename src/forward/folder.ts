/** Keys as a reader sees them; see `object-key.ts` for how they are made. */
import { type Signal, UNDATED_MILLIS } from '../object-key.js';
import { splitKey } from '../server/forwarded.js';

const FOLDER = /^(.+)\/year=(\d{4})\/month=(\d\d)\/day=(\d\d)\/hour=(\d\d)\/minute=(\d\d)$/;
/** Other signals may share a prefix, and other formats. What is named otherwise holds traces. */
const READ = /^(?!metrics_|profiles_)(logs_)?.+\.json\.gz$/s;

/** One minute of one project and environment, or any other folder. */
export interface Folder {
  /** All of the key before its last slash. */
  path: string;
  /** What comes before the time: prefix, project and environment. Absent where the folder tells no time. */
  root?: string;
  /** Epoch milliseconds; absent also for the minute of what tells no time. */
  startsAtMillis?: number;
}

export function folderOf(key: string): Folder {
  const path = splitKey(key).folder;
  const [, root, ...parts] = FOLDER.exec(path) ?? [];
  if (root === undefined) return { path };
  const [year = 0, month = 0, ...rest] = parts.map(Number);
  const [day, hour, minute] = rest;
  const startsAtMillis = Date.UTC(year, month - 1, day, hour, minute);
  return startsAtMillis === UNDATED_MILLIS ? { path, root } : { path, root, startsAtMillis };
}

/** The folder of an instant: no key of an earlier minute comes after it, and none of its own before. */
export function folderAt(root: string, atMillis: number): string {
  const iso = new Date(atMillis).toISOString();
  return `${root}/year=${iso.slice(0, 4)}/month=${iso.slice(5, 7)}/day=${iso.slice(8, 10)}/hour=${iso.slice(11, 13)}/minute=${iso.slice(14, 16)}`;
}

/** After every folder of a root that tells a time. */
export function behindAll(root: string): string {
  return `${root}/year=~`;
}

/** What an object holds, by its name; undefined where it is nothing to be forwarded. */
export function signalOf(key: string): Signal | undefined {
  const found = READ.exec(splitKey(key).name);
  if (!found) return undefined;
  return found[1] ? 'logs' : 'traces';
}

export const isTraceKey = (key: string): boolean => signalOf(key) === 'traces';

/** Whether an object is one of those that are asked for. */
export function isForwarded(key: string, { signals }: { signals: readonly Signal[] }): boolean {
  const signal = signalOf(key);
  return signal !== undefined && signals.includes(signal);
}

/** Objects by the folder that each lies in, both in their order. */
export function byFolder<T extends { key: string }>(objects: readonly T[]): Map<string, T[]> {
  const folders = new Map<string, T[]>();
  for (const object of objects) {
    const { folder } = splitKey(object.key);
    const some = folders.get(folder) ?? [];
    folders.set(folder, some);
    some.push(object);
  }
  return folders;
}
