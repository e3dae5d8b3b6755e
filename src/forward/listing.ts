import { splitKey } from '../server/forwarded.js';
import { openObjectPages } from '../server/object-pages.js';
import type { StoredObject } from '../server/storage.js';
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

const MINUTE_MILLIS = 60_000;

/**
 * Lists what is there, in the order of keys, which is that of time for each project and environment. Folders outside
 * of the time asked for are stepped over rather than listed.
 *
 * @throws {StorageError} also when the listing cannot be followed.
 */
export async function* listChunks(storage: ForwardStorage, scope: Scope): AsyncGenerator<Chunk> {
  // From the first, since what tells no time lies in front.
  const pages = openObjectPages(storage, prefixOf(scope));
  let page = await pages.next();
  while (page) {
    let chunk: Chunk | undefined;
    let folder: Folder | undefined;
    for (const object of page) {
      if (folder?.path !== splitKey(object.key).folder) {
        if (chunk) yield chunk;
        chunk = undefined;
        folder = folderOf(object.key);
      }
      if (!isWanted(folder, object, scope)) continue;
      chunk ??= { folder, objects: [] };
      chunk.objects.push(object);
    }
    if (chunk) yield chunk;
    page = await pages.next(folder && stepOver(folder, scope));
  }
}

/** What every key of the scope begins with. */
export function prefixOf({ prefix, project, environment }: Scope): string {
  const segments = [prefix, ...(project === undefined ? [] : [project])];
  if (project !== undefined && environment !== undefined) segments.push(environment);
  return `${segments.join('/')}/`;
}

const isOther = ({ root }: Folder, { environment }: Scope): boolean =>
  environment !== undefined && root?.slice(root.lastIndexOf('/') + 1) !== environment;

/** Behind which key the listing is to go on, where what comes after this folder is not asked for. */
function stepOver(folder: Folder, scope: Scope): string | undefined {
  const { root, startsAtMillis } = folder;
  if (root === undefined || startsAtMillis === undefined) return undefined;
  if (isOther(folder, scope) || startsAtMillis >= scope.untilMillis) return behindAll(root);
  if (startsAtMillis + MINUTE_MILLIS <= scope.fromMillis) return folderAt(root, scope.fromMillis);
  return undefined;
}

function isWanted(folder: Folder, object: StoredObject, scope: Scope): boolean {
  const { fromMillis, untilMillis } = scope;
  if (isOther(folder, scope)) return false;
  const atMillis = folder.startsAtMillis ?? object.storedAtMillis ?? fromMillis;
  const lastMillis = folder.startsAtMillis === undefined ? atMillis : atMillis + MINUTE_MILLIS - 1;
  return lastMillis >= fromMillis && atMillis < untilMillis;
}
