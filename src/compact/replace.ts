import { createDoneNotes, type DoneNotes } from '../forward/done-notes.js';
import { createLeases, type Lease } from '../forward/lease.js';
import type { PatientStorage } from '../forward/patient-storage.js';
import { createSettler, type Settler } from '../forward/settle.js';
import { intoOf } from '../server/forwarded.js';
import { isStorageError, StorageError } from '../server/storage.js';
import { inLanes } from '../wire/lanes.js';
import type { BucketSettings } from './compact-settings.js';

/** Objects that become one other, or none. */
export interface Replacement {
  inputs: readonly { key: string }[];
  /** Absent: they are not to be kept. */
  output?: { key: string; bytes: Uint8Array<ArrayBuffer> };
  /** Whether `forward` has sent them all. Else it has sent none. */
  isSent: boolean;
}

/** What works on the bucket; the parts of `forward` that `compact` and `erase` share are named here, and nowhere else. */
export interface Workshop {
  readonly storage: PatientStorage;
  readonly notes: DoneNotes;
  readonly settler: Settler;
  /** The right to work on several folders, against other compactors and forwarders. */
  leaseOf(folders: readonly string[]): Lease;
  /** Removes what those left that died. @throws {StorageError} */
  sweepLeases(): Promise<void>;
  /**
   * Notes where the objects go, writes that, and deletes them. That it is written is the moment from which they do not
   * count any more: whoever looks at notes takes either them or the other, whatever comes between, and the endpoint
   * answers *stored* throughout. @throws {StorageError}
   */
  replace(replacement: Replacement): Promise<void>;
}

export function createWorkshop(storage: PatientStorage, settings: BucketSettings): Workshop {
  const { concurrency } = settings;
  const notes = createDoneNotes(storage, settings);
  const leases = createLeases({ ...settings, storage });
  let mayDelete: Promise<void> | undefined;

  /** By deleting what is not there: nothing is to be written twice for want of a right. */
  const checkRights = async (): Promise<void> => {
    try {
      await storage.delete(`${settings.prefix}/spandrel-may-delete`);
    } catch (error) {
      if (!isStorageError(error) || (error.httpStatus !== 403 && error.httpStatus !== 401)) throw error;
      const needs = 'this needs the right to delete what it replaces; nothing was changed';
      throw new StorageError(`${error.message}: ${needs}`, { httpStatus: error.httpStatus, cause: error });
    }
  };

  return {
    storage,
    notes,
    settler: createSettler(storage, notes, { ...settings, after: 'delete', movedPrefix: '' }),
    sweepLeases: () => leases.sweep(),

    leaseOf(folders) {
      const [first, ...others] = [...new Set(folders)].map((folder) => leases.of(folder));
      const all = first ? [first, ...others] : [];
      const release = (): Promise<void> => inLanes(all, concurrency, (lease) => lease.release());
      return {
        release,
        async hold() {
          // All who want a period want this one, so that two do not keep the rest from one another.
          let hasAll = (await first?.hold()) ?? true;
          if (hasAll) {
            await inLanes(others, concurrency, async (lease) => {
              if (hasAll && !(await lease.hold())) hasAll = false;
            });
          }
          if (!hasAll) await release();
          return hasAll;
        },
      };
    },

    async replace({ inputs, output, isSent }) {
      mayDelete ??= checkRights();
      await mayDelete;
      if (!isSent) {
        const fate = output ? intoOf(output.key) : 'removed';
        await notes.add(inputs.map(({ key }) => [key, fate]));
      } else if (output) await notes.add([[output.key, 'sent']]);
      if (output) await storage.put(output.key, output.bytes);
      await inLanes(inputs, concurrency, ({ key }) => storage.delete(key));
    },
  };
}
