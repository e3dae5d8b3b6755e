/** Keys as a reader sees them; see `object-key.ts` for how they are made. */
import { UNDATED_MILLIS } from '../object-key.js';
import { splitKey } from '../server/forwarded.js';

const FOLDER = /^(.+)\/year=(\d{4})\/month=(\d\d)\/day=(\d\d)\/hour=(\d\d)\/minute=(\d\d)$/;
/** Other signals may share a prefix, and other formats. */
const TRACES = /^(?!logs_|metrics_).+\.json\.gz$/s;

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

export function isTraceKey(key: string): boolean {
  return TRACES.test(splitKey(key).name);
}
