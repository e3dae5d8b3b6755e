import type { PatientStorage } from '../forward/patient-storage.js';
import { walkNotes } from '../forward/sweep.js';
import type { CompactSettings } from './compact-settings.js';

/**
 * Removes notes on folders that are empty, once no page asks for what was in them. @throws {StorageError}
 *
 * @param folders those that had objects when they were listed.
 */
export async function sweepNotes(
  storage: PatientStorage,
  settings: CompactSettings,
  folders: ReadonlySet<string>,
): Promise<void> {
  const { environment, fromMillis, untilMillis } = settings;
  const forgottenAtMillis = settings.now() - settings.rememberMillis;
  await walkNotes(storage, settings, ({ path, root, startsAtMillis }) => {
    const isOther = environment !== undefined && !root.endsWith(`/${environment}`);
    if (isOther || startsAtMillis >= Math.min(forgottenAtMillis, untilMillis)) return 'past';
    return startsAtMillis >= fromMillis && !folders.has(path) ? 'remove' : 'keep';
  });
}
