import { behindAll, folderOf } from './folder.js';
import type { ForwardSettings } from './forward-settings.js';
import { inLanes } from './lanes.js';
import { prefixOf } from './listing.js';
import type { ForwardStorage } from './patient-storage.js';

/** In one pass; the next goes on. */
const MAX_PAGES = 20;

/**
 * Removes notes on objects that no page will ask for again. With `keep` they stay for as long as there is an object in
 * their folder; then the oldest of each project tells of all, since a lifecycle rule deletes in the order of time.
 *
 * @throws {StorageError}
 */
export async function sweepNotes(storage: ForwardStorage, settings: ForwardSettings): Promise<void> {
  const base = `${settings.statePrefix}/done/`;
  const forgottenAtMillis = settings.now() - settings.rememberMillis;
  let options: { cursor?: string; after?: string } = {};
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await storage.list(base + prefixOf(settings), options);
    const old: string[] = [];
    let step: string | undefined;
    let empty = '';
    for (const { key } of page.objects) {
      const { path, root, startsAtMillis } = folderOf(key.slice(base.length));
      if (root === undefined || startsAtMillis === undefined) continue;
      const isOld = startsAtMillis < forgottenAtMillis;
      if (isOld && settings.after === 'keep' && path !== empty) {
        const { objects } = await storage.list(`${path}/`);
        if (objects.length === 0) empty = path;
      }
      if (!isOld || (settings.after === 'keep' && path !== empty)) {
        step = base + behindAll(root);
        break;
      }
      old.push(key);
    }
    await inLanes(old, settings.concurrency, (key) => storage.delete(key));
    if (step !== undefined && step !== options.after) options = { after: step };
    else if (page.cursor !== undefined) options = { cursor: page.cursor };
    else return;
  }
}
