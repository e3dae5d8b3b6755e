/** The user's headers, read at each export. */
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { Deadlines } from './deadlines.js';
import type { Tools } from './destination.js';

/** Headers, or what gives them; it is handed a `fetch` whose requests make no spans. Names are compared without regard to case. */
export type OtlpHeaders =
  | Record<string, string>
  | ((tools: Tools) => Record<string, string> | Promise<Record<string, string>>);

export interface HeaderSource {
  /** Asks once, if there is nobody else's answer to fall back on yet. */
  warmUp(): void;
  /** What the user says now. @throws what the function throws or rejects with; TypeError when it gives no headers. */
  read(): Promise<Record<string, string>>;
  /** The same in this task: of an asynchronous function the latest answer, undefined when there is none. */
  readNow(): Record<string, string> | undefined;
}

/**
 * Names in lowercase.
 *
 * @throws {TypeError} when these are no headers. A value that is undefined is a mistake, and not the word.
 */
export function checkedHeaders(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null) throw new TypeError('headers are an object');
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string') throw new TypeError(`the header ${name} is no string`);
  }
  return Object.fromEntries(new Headers(headers as Record<string, string>));
}

/** @param waitMillis how long an asynchronous function may take. */
export function createHeaderSource(
  { platform, diagnostics }: { platform: Tools; diagnostics: Pick<Diagnostics, 'theirs'> },
  headers: OtlpHeaders,
  deadlines: Deadlines,
  waitMillis: number,
): HeaderSource {
  const ask = (): unknown =>
    diagnostics.theirs(() => (headers as (tools: Tools) => unknown)({ fetch: platform.fetch }));
  let latest: Record<string, string> | undefined;
  let asking = false;
  if (typeof headers !== 'function') {
    const fixed = checkedHeaders(headers);
    return { warmUp() {}, read: async () => fixed, readNow: () => fixed };
  }
  const keep = (given: unknown): Record<string, string> => {
    latest = checkedHeaders(given);
    return latest;
  };
  const self: HeaderSource = {
    warmUp() {
      if (latest || asking) return;
      asking = true;
      const asked = (): void => {
        asking = false;
      };
      // A failure is told by the export that meets it.
      self.read().then(asked, asked);
    },
    read: async () => keep(await deadlines.within(waitMillis, Promise.resolve(ask()))),
    readNow() {
      const given = ask();
      if (typeof (given as PromiseLike<unknown>)?.then !== 'function') return keep(given);
      Promise.resolve(given)
        .then(keep)
        .catch(() => {});
      return latest;
    },
  };
  return self;
}
