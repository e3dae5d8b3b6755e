import type { StoredObject } from '../server/storage.js';
import { inBatches } from './batches.js';
import { createDoneNotes, createManifestWalk, type FolderNotes } from './done-notes.js';
import { isForwarded } from './folder.js';
import type { ForwardSettings } from './forward-settings.js';
import { createBatchHandler, type Remainder } from './handle-batch.js';
import { createLeases, type Lease } from './lease.js';
import { type Chunk, listChunks } from './listing.js';
import type { PatientStorage, Wait } from './patient-storage.js';
import { createSettler } from './settle.js';
import { EndOfPass, type ForwardCounts } from './summary.js';
import { sweepNotes } from './sweep.js';
import { leaveOutDone } from './undone.js';

export interface PassDeps {
  storage: PatientStorage;
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

/** Objects that the backend refused while it took none: whether they or it are to blame shows later. */
interface Doubt {
  open: Open;
  objects: StoredObject[];
  message: string;
}

/** So many in doubt, and nothing taken: it is the backend. */
const MAX_DOUBTED = 2_000;

const FREE: Lease = { hold: async () => true, release: async () => {} };

/** One pass. `run` rejects with {@link EndOfPass} or whatever the store failed with. */
export function createPass({ storage, settings, counts, wait }: PassDeps): { run(): Promise<void> } {
  const { signal, after } = settings;
  const notes = createDoneNotes(storage, settings);
  const settler = createSettler(storage, notes, settings);
  const handler = createBatchHandler(storage, settler, settings, counts);
  const leases = createLeases({ ...settings, storage });
  const manifestsOf = createManifestWalk(storage, settings.statePrefix);
  let open: Open | undefined;
  const doubts: Doubt[] = [];
  let waitedMillis = 0;

  const progress = (): void => {
    try {
      settings.onProgress?.(counts);
    } catch {
      // The caller's own trouble; the objects are not to suffer.
    }
  };

  /** Leaves a folder, unless some of it is to come again. */
  const close = async (closing: Open | undefined): Promise<void> => {
    if (!closing || doubts.some((doubt) => doubt.open === closing)) return;
    try {
      if (closing.notes) await notes.compact(closing.path);
    } finally {
      await closing.lease.release();
    }
  };

  const undone = (known: FolderNotes, objects: readonly StoredObject[]): Promise<StoredObject[]> =>
    leaveOutDone(objects, { notes: known, settler, counts });

  async function take({ folder: { path }, objects: listed }: Chunk): Promise<void> {
    let objects = listed.filter(({ key }) => isForwarded(key, settings));
    counts.listed += listed.length;
    counts.skipped += listed.length - objects.length;
    counts.folder = path;
    if (objects.length === 0) return;
    if (open?.path !== path) {
      const closing = open;
      open = undefined;
      await close(closing);
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
    const sentBefore = counts.sent;
    await work(await undone(open.notes, objects), open);
    if (counts.sent > sentBefore) await reconsider();
    const doubted = doubts.reduce((sum, one) => sum + one.objects.length, 0);
    if (doubted > MAX_DOUBTED) throw new EndOfPass('backend-failed', doubts[0]?.message ?? '');
  }

  /** Sends objects of a folder that is held, as far as the backend takes them. */
  async function work(objects: readonly StoredObject[], of: Open): Promise<void> {
    let rest = objects;
    while (rest.length > 0) {
      const postponed: StoredObject[] = [];
      let taken = 0;
      for (const batch of inBatches(rest, settings)) {
        if (signal?.aborted) throw new EndOfPass('aborted', '');
        if (!(await of.lease.hold())) {
          counts.busy += rest.length - taken + postponed.length;
          return;
        }
        const remainder = await handler.handle(batch, signal);
        postponed.push(...remainder.postponed);
        if (remainder.isUndecided) {
          // Read again when it is their turn: their bytes are not held for so long.
          const again = remainder.retry.map(({ bytes: _, ...object }): StoredObject => object);
          doubts.push({ open: of, objects: again, message: remainder.message });
        } else await insist(remainder, of.lease);
        taken += batch.length;
        progress();
      }
      rest = postponed;
    }
  }

  /** The backend has taken others since: what it refuses again is to blame. */
  async function reconsider(): Promise<void> {
    for (let left = doubts.length; left > 0; left -= 1) {
      const [doubt] = doubts;
      if (!doubt) return;
      await work(doubt.objects, doubt.open);
      doubts.shift();
      if (doubt.open !== open) await close(doubt.open);
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
        await close(open);
        const [doubt] = doubts;
        if (doubt) throw new EndOfPass('backend-failed', doubt.message);
        await sweepNotes(storage, settings);
      } finally {
        // A pass that ended early has no time for more: the next one tidies up.
        for (const { lease } of new Set([...(open ? [open] : []), ...doubts.map((one) => one.open)])) {
          await lease.release();
        }
      }
    },
  };
}
