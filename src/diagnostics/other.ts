import { createDiagnostics, type Diagnostics } from './diagnostics.js';

/** The ledger of a further destination, from 0. It is in the first one's stats from then on. */
export function otherOf(
  first: Diagnostics,
  { now, after }: { now(): number; after(millis: number, task: () => void): unknown },
): Diagnostics {
  const own = createDiagnostics(now, after);
  first.gauge((stats) => void stats.others.push({ ...own.stats(), consent: stats.consent }));
  const { theirs, sinceTheirs, changed } = first;
  return Object.assign(own, { theirs, sinceTheirs, changed });
}
