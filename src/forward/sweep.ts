import { inLanes } from '../wire/lanes.js';
import { behindAll, type Folder, folderOf } from './folder.js';
import type { ForwardSettings } from './forward-settings.js';
import { prefixOf } from './listing.js';
import type { ForwardStorage } from './patient-storage.js';

/** In one pass; the next goes on. */
const MAX_PAGES = 20;

/** A note's folder, whose minute is known. */
export type NotedFolder = Folder & { root: string; startsAtMillis: number };

/** `past`: it stays, as does all of its project and environment that is younger. */
type Verdict = 'remove' | 'keep' | 'past';

/** Looks at notes in the order of time, and removes what `judge` says. @throws {StorageError} */
export async function walkNotes(
  storage: Pick<ForwardStorage, 'list' | 'delete'>,
  settings: Pick<ForwardSettings, 'statePrefix' | 'concurrency'> & Parameters<typeof prefixOf>[0],
  judge: (folder: NotedFolder) => Verdict | Promise<Verdict>,
): Promise<void> {
  const base = `${settings.statePrefix}/done/`;
  let options: { cursor?: string; after?: string } = {};
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const page = await storage.list(base + prefixOf(settings), options);
    const old: string[] = [];
    let step: string | undefined;
    for (const { key } of page.objects) {
      const folder = folderOf(key.slice(base.length));
      if (folder.root === undefined || folder.startsAtMillis === undefined) continue;
      const verdict = await judge(folder as NotedFolder);
      if (verdict === 'remove') old.push(key);
      if (verdict !== 'past') continue;
      step = base + behindAll(folder.root);
      break;
    }
    await inLanes(old, settings.concurrency, (key) => storage.delete(key));
    if (step !== undefined && step !== options.after) options = { after: step };
    else if (page.cursor !== undefined) options = { cursor: page.cursor };
    else return;
  }
}

/**
 * Removes notes on objects that no page will ask for again. With `keep` they stay for as long as there is an object in
 * their folder; then the oldest of each project tells of all, since a lifecycle rule deletes in the order of time.
 *
 * @throws {StorageError}
 */
export async function sweepNotes(storage: ForwardStorage, settings: ForwardSettings): Promise<void> {
  const forgottenAtMillis = settings.now() - settings.rememberMillis;
  let empty = '';
  await walkNotes(storage, settings, async ({ path, startsAtMillis }) => {
    if (startsAtMillis >= forgottenAtMillis) return 'past';
    if (settings.after !== 'keep' || path === empty) return 'remove';
    const { objects } = await storage.list(`${path}/`);
    if (objects.length > 0) return 'past';
    empty = path;
    return 'remove';
  });
}
