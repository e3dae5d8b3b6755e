import type { StoredObject } from '../server/storage.js';
import { inBatches } from './batches.js';
import { createDoneNotes, createManifestWalk, type FolderNotes } from './done-notes.js';
import { isTraceKey } from './folder.js';
import type { ForwardSettings } from './forward-settings.js';
import { createBatchHandler, type Remainder } from './handle-batch.js';
import { createLeases, type Lease } from './lease.js';
import { type Chunk, listChunks } from './listing.js';
import type { ForwardStorage, Wait } from './patient-storage.js';
import { createSettler } from './settle.js';
import { EndOfPass, type ForwardCounts } from './summary.js';
import { sweepNotes } from './sweep.js';
import { leaveOutDone } from './undone.js';

export interface PassDeps {
  storage: ForwardStorage;
  settings: ForwardSettings;
  /** Counted into. */
  counts: ForwardCounts;
  wait: Wait;
}

/** One folder while it is worked on. */
interface Open {
  path: string;
  lease: Lease;
  /** Undefined until the lease is held. */
  notes: FolderNotes | undefined;
}

const MINUTE_MILLIS = 60_000;
const FREE: Lease = { hold: async () => true, release: async () => {} };

/** One pass. `run` rejects with {@link EndOfPass} or whatever the store failed with. */
export function createPass({ storage, settings, counts, wait }: PassDeps): { run(): Promise<void> } {
  const { now, signal, after } = settings;
  const notes = createDoneNotes(storage, settings);
  const settler = createSettler(storage, notes, settings);
  const handler = createBatchHandler(storage, settler, settings, counts);
  const leases = createLeases({ ...settings, storage });
  const manifestsOf = createManifestWalk(storage, settings.statePrefix);
  let open: Open | undefined;
  let waitedMillis = 0;

  const progress = (): void => {
    try {
      settings.onProgress?.(counts);
    } catch {
      // The caller's own trouble; the objects are not to suffer.
    }
  };

  const close = async (): Promise<void> => {
    const closing = open;
    open = undefined;
    if (!closing) return;
    try {
      if (closing.notes) await notes.compact(closing.path);
    } finally {
      await closing.lease.release();
    }
  };

  /** Those that are of age. */
  function ripe({ folder, objects }: Chunk): StoredObject[] {
    const youngest = now() - settings.mergeWindowMillis;
    const traces = objects.filter(({ key }) => isTraceKey(key));
    counts.skipped += objects.length - traces.length;
    const ready =
      settings.mergeWindowMillis === 0
        ? traces
        : traces.filter(({ storedAtMillis = 0 }) => {
            const { startsAtMillis } = folder;
            return (
              (startsAtMillis === undefined ? storedAtMillis : startsAtMillis + MINUTE_MILLIS) <= youngest
            );
          });
    counts.tooYoung += traces.length - ready.length;
    return ready;
  }

  const undone = (known: FolderNotes, objects: readonly StoredObject[]): Promise<StoredObject[]> =>
    leaveOutDone(objects, { notes: known, settler, counts });

  async function take(chunk: Chunk): Promise<void> {
    const { path } = chunk.folder;
    counts.listed += chunk.objects.length;
    counts.folder = path;
    let objects = ripe(chunk);
    if (objects.length === 0) return;
    if (open?.path !== path) {
      await close();
      open = { path, lease: settings.leases ? leases.of(path) : FREE, notes: undefined };
    }
    // With `keep` most are done, pass after pass: that is found out from one listing, and without a lease.
    if (after === 'keep' && !open.notes) {
      objects = await undone(await notes.open(path, await manifestsOf(path)), objects);
      if (objects.length === 0) return;
    }
    if (!(await open.lease.hold())) {
      counts.busy += objects.length;
      return;
    }
    // After the lease: whoever had it before has noted all by now.
    open.notes ??= await notes.open(path);
    let rest = await undone(open.notes, objects);
    while (rest.length > 0) {
      const postponed: StoredObject[] = [];
      let taken = 0;
      for (const batch of inBatches(rest, settings)) {
        if (signal?.aborted) throw new EndOfPass('aborted', '');
        if (!(await open.lease.hold())) {
          counts.busy += rest.length - taken + postponed.length;
          return;
        }
        const remainder = await handler.handle(batch, signal);
        postponed.push(...remainder.postponed);
        await insist(remainder, open.lease);
        taken += batch.length;
        progress();
      }
      rest = postponed;
    }
  }

  /** Sends again what the backend had no room for, while there is patience. @throws {EndOfPass} */
  async function insist(remainder: Remainder, lease: Lease): Promise<void> {
    let { retry, retryAfterMillis, message }: Omit<Remainder, 'postponed'> = remainder;
    while (retry.length > 0) {
      if (signal?.aborted) throw new EndOfPass('aborted', message);
      if (retryAfterMillis === undefined) throw new EndOfPass('backend-failed', message);
      // A backend that says "at once" may say so for ever.
      const pauseMillis = Math.max(retryAfterMillis, 1_000);
      if (waitedMillis + pauseMillis > settings.maxWaitMillis) {
        throw new EndOfPass('backend-busy', message, retryAfterMillis);
      }
      waitedMillis += pauseMillis;
      await wait(pauseMillis, signal);
      if (signal?.aborted) throw new EndOfPass('aborted', message);
      if (!(await lease.hold())) {
        counts.busy += retry.length;
        return;
      }
      ({ retry, retryAfterMillis, message } = await handler.send(retry, signal));
    }
  }

  return {
    async run() {
      try {
        if (settings.leases) await leases.sweep();
        for await (const chunk of listChunks(storage, settings)) {
          if (signal?.aborted) throw new EndOfPass('aborted', '');
          await take(chunk);
          progress();
        }
        await close();
        await sweepNotes(storage, settings);
      } finally {
        // A pass that ended early has no time for more: the next one tidies up.
        await open?.lease.release();
      }
    },
  };
}
