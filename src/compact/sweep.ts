import { behindAll, folderOf } from '../forward/folder.js';
import { inLanes } from '../forward/lanes.js';
import { prefixOf } from '../forward/listing.js';
import type { PatientStorage } from '../forward/patient-storage.js';
import type { CompactSettings } from './compact-settings.js';

/** In one pass; the next goes on. */
const MAX_PAGES = 20;

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
  const base = `${settings.statePrefix}/done/`;
  const forgottenAtMillis = settings.now() - settings.rememberMillis;
  let options: { cursor?: string; after?: string } = {};
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await storage.list(base + prefixOf(settings), options);
    const old: string[] = [];
    let step: string | undefined;
    for (const { key } of page.objects) {
      const { path, root, startsAtMillis } = folderOf(key.slice(base.length));
      if (root === undefined || startsAtMillis === undefined) continue;
      const isOther = settings.environment !== undefined && !root.endsWith(`/${settings.environment}`);
      if (isOther || startsAtMillis >= Math.min(forgottenAtMillis, settings.untilMillis)) {
        step = base + behindAll(root);
        break;
      }
      if (startsAtMillis >= settings.fromMillis && !folders.has(path)) old.push(key);
    }
    await inLanes(old, settings.concurrency, (key) => storage.delete(key));
    if (step !== undefined && step !== options.after) options = { after: step };
    else if (page.cursor !== undefined) options = { cursor: page.cursor };
    else return;
  }
}
