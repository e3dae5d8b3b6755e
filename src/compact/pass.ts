import type { Folder } from '../forward/folder.js';
import { isTraceKey } from '../forward/folder.js';
import { listChunks } from '../forward/listing.js';
import type { PatientStorage } from '../forward/patient-storage.js';
import type { StoredObject } from '../server/storage.js';
import { type Candidate, candidateOf, chooseObjects } from './choose.js';
import type { CompactSettings } from './compact-settings.js';
import { PERIOD_MILLIS, type Period, periodOf } from './period.js';
import { createPeriodWork } from './period-work.js';
import { createWorkshop } from './replace.js';
import { keptAt } from './retention.js';
import type { CompactCounts } from './summary.js';
import { sweepNotes } from './sweep.js';

/** A pass that was asked to end. */
export class Aborted extends Error {}

interface Open {
  period: Period;
  objects: StoredObject[];
}

/**
 * One pass over all that is there.
 *
 * @throws {Aborted}
 * @throws {StorageError}
 */
export async function runPass(
  storage: PatientStorage,
  settings: CompactSettings,
  counts: CompactCounts,
): Promise<void> {
  const { now, signal, graceMillis, retention } = settings;
  const workshop = createWorkshop(storage, settings);
  const work = createPeriodWork(workshop, settings, counts);
  /** Folders that have objects: notes on these stay. */
  const folders = new Set<string>();
  let open: Open | undefined;

  const progress = (): void => {
    if (signal?.aborted) throw new Aborted();
    try {
      settings.onProgress?.(counts);
    } catch {
      // The caller's own trouble; the objects are not to suffer.
    }
  };

  /** Those that have been there, or whose period has been over, for long enough. */
  const ripe = ({ period, objects }: Open): StoredObject[] => {
    const until = now() - graceMillis;
    const { endsAtMillis } = period;
    if (endsAtMillis !== undefined) return endsAtMillis <= until ? objects : [];
    return objects.filter(({ storedAtMillis = 0 }) => storedAtMillis + PERIOD_MILLIS.hour <= until);
  };

  async function close(): Promise<void> {
    if (!open) return;
    const { period } = open;
    const objects = ripe(open);
    counts.tooYoung += open.objects.length - objects.length;
    open = undefined;
    const candidates = objects.map((object): Candidate => candidateOf(object, period));
    // What tells no time was stored when it was stored.
    const newest = Math.max(...objects.map(({ storedAtMillis = 0 }) => storedAtMillis));
    const kept = keptAt(now() - (period.endsAtMillis ?? newest), retention);
    const isOver = !kept.errors && !kept.rest;
    const choose = (some: readonly Candidate[]): Candidate[] =>
      isOver ? [...some] : chooseObjects(some, { stage: kept.stage, isChanged: work.isChanging });
    // Before anything is asked of the store: most periods have been compacted long ago.
    const isAnything = [true, false].some(
      (isSent) =>
        choose(candidates.filter(({ compacted }) => (compacted?.isSent ?? false) === isSent)).length > 0,
    );
    if (isAnything) await work.run(period, candidates, { choose, kept });
    else counts.kept += candidates.length;
    progress();
  }

  const add = async (folder: Folder, listed: StoredObject[]): Promise<void> => {
    counts.listed += listed.length;
    counts.folder = folder.path;
    folders.add(folder.path);
    const period = periodOf(folder, settings.period);
    const objects = period ? listed.filter(({ key }) => isTraceKey(key)) : [];
    counts.skipped += listed.length - objects.length;
    if (open?.period.root !== period?.root || open?.period.folder !== period?.folder) await close();
    if (!period) return;
    open ??= { period, objects: [] };
    for (const object of objects) open.objects.push(object);
  };

  progress();
  await workshop.sweepLeases();
  for await (const { folder, objects } of listChunks(storage, settings)) {
    await add(folder, objects);
    progress();
  }
  await close();
  await sweepNotes(storage, settings, folders);
}
