import { splitKey } from '../server/forwarded.js';
import { StorageError, type StoredObject } from '../server/storage.js';
import { behindAll, type Folder, folderAt, folderOf } from './folder.js';
import type { ForwardSettings } from './forward-settings.js';
import type { ForwardStorage } from './patient-storage.js';

/** Objects of one folder. A large folder comes in several of these, one after the other. */
export interface Chunk {
  folder: Folder;
  objects: StoredObject[];
}

export type Scope = Pick<
  ForwardSettings,
  'prefix' | 'project' | 'environment' | 'fromMillis' | 'untilMillis'
>;

/** Pages without anything new. A store that goes on like this is broken. */
const MAX_IDLE_PAGES = 100;
const MINUTE_MILLIS = 60_000;

/**
 * Lists what is there, in the order of keys, which is that of time for each project and environment. Folders outside
 * of the time asked for are stepped over rather than listed.
 *
 * @throws {StorageError} also when the listing makes no progress.
 */
export async function* listChunks(storage: ForwardStorage, scope: Scope): AsyncGenerator<Chunk> {
  const steps = createSteps(scope);
  // From the first, since what tells no time lies in front.
  let options: { cursor?: string; after?: string } = {};
  let before: string | undefined;
  let idle = 0;
  for (;;) {
    const page = await storage.list(prefixOf(scope), options);
    const first = page.objects[0]?.key;
    // Objects that were handed out must not be so again: they may be sent by now.
    if (first !== undefined && first === before) {
      throw new StorageError('the store lists the same objects again; it may not know "start-after"');
    }
    before = first ?? before;
    let chunk: Chunk | undefined;
    let folder: Folder | undefined;
    let step: string | undefined;
    for (const object of page.objects) {
      if (folder?.path !== splitKey(object.key).folder) {
        if (chunk) yield chunk;
        chunk = undefined;
        folder = folderOf(object.key);
        step = steps.over(folder);
        if (step !== undefined) break;
      }
      if (!steps.isWanted(folder, object)) continue;
      chunk ??= { folder, objects: [] };
      chunk.objects.push(object);
    }
    if (chunk) yield chunk;
    idle = page.objects.length === 0 ? idle + 1 : 0;
    if (step !== undefined) options = { after: step };
    else if (page.cursor !== undefined) options = { cursor: page.cursor };
    else return;
    if (idle > MAX_IDLE_PAGES) throw new StorageError('the listing makes no progress');
  }
}

/** What every key of the scope begins with. */
export function prefixOf({ prefix, project, environment }: Scope): string {
  const segments = [prefix, ...(project === undefined ? [] : [project])];
  if (project !== undefined && environment !== undefined) segments.push(environment);
  return `${segments.join('/')}/`;
}

function createSteps({ environment, fromMillis, untilMillis }: Scope) {
  const stepped = new Set<string>();
  /** Once for each place, so that a store that steps nowhere is not asked to for ever. */
  const once = (after: string): string | undefined => {
    if (stepped.has(after)) return undefined;
    stepped.add(after);
    return after;
  };
  const isOther = ({ root }: Folder): boolean =>
    environment !== undefined && root?.slice(root.lastIndexOf('/') + 1) !== environment;

  return {
    /** Where the listing is to go on instead. */
    over(folder: Folder): string | undefined {
      const { root, startsAtMillis } = folder;
      if (root === undefined || startsAtMillis === undefined) return undefined;
      if (isOther(folder) || startsAtMillis >= untilMillis) return once(behindAll(root));
      if (startsAtMillis + MINUTE_MILLIS <= fromMillis) return once(folderAt(root, fromMillis));
      return undefined;
    },
    isWanted(folder: Folder, object: StoredObject): boolean {
      if (isOther(folder)) return false;
      const atMillis = folder.startsAtMillis ?? object.storedAtMillis ?? fromMillis;
      const lastMillis = folder.startsAtMillis === undefined ? atMillis : atMillis + MINUTE_MILLIS - 1;
      return lastMillis >= fromMillis && atMillis < untilMillis;
    },
  };
}
