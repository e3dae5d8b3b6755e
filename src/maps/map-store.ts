/** Source maps in the bucket: put, listed, read, deleted. */

import { openObjectPages } from '../server/object-pages.js';
import { isStorageError, type Storage, type StoredObject } from '../server/storage.js';
import { readBounded } from '../wire/bounded-read.js';
import { type CheckedMap, checkMap, MAX_MAP_BYTES } from './check-map.js';
import { debugIdOf, type MapName, mapFolder, mapKey, parseMapKey } from './map-key.js';

/** One map that is stored. */
export interface StoredMap extends MapName, StoredObject {}

/** Maps of one release that are looked at. */
export const MAX_MAPS = 10_000;

/**
 * Puts one map. The same map of the same file is stored once, however often it is put.
 *
 * @param name of the file; its id where that carries a debug id.
 * @throws {StorageError}
 */
export async function putMap(
  storage: Pick<Storage, 'put'>,
  { id, ...name }: Omit<MapName, 'id'> & { id?: string | undefined },
  map: Uint8Array<ArrayBuffer>,
): Promise<'created' | 'exists'> {
  const packed = new Blob([map]).stream().pipeThrough(new CompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  return storage.put(mapKey({ ...name, id: id ?? (await hashOf(map)) }), bytes);
}

/** What is stored of a project, or of one of its releases, in the order of keys, page by page. @throws {StorageError} */
export async function* listMaps(
  storage: Pick<Storage, 'list'>,
  project: string,
  release?: string,
): AsyncGenerator<StoredMap[], void, undefined> {
  const pages = openObjectPages(storage, mapFolder(project, release));
  for (let page = await pages.next(); page; page = await pages.next()) {
    const maps = page.flatMap((object) => {
      const name = parseMapKey(object.key);
      return name ? [{ ...object, ...name }] : [];
    });
    if (maps.length) yield maps;
  }
}

/** Reads one map, or says why it cannot be read. @throws {StorageError} when the store fails. */
export async function readMap(storage: Pick<Storage, 'get'>, { key, id }: StoredMap): Promise<CheckedMap> {
  const stored = await storage.get(key, { maxBytes: MAX_MAP_BYTES }).catch((error: unknown) => {
    if (isStorageError(error) && error.tooLarge) return 'too-large' as const;
    throw error;
  });
  if (stored === undefined) return { fault: 'it is gone' };
  if (stored === 'too-large') return { fault: `it is larger than ${MAX_MAP_BYTES} bytes` };
  const isPacked = stored[0] === 0x1f && stored[1] === 0x8b;
  const json = isPacked ? await inflate(stored) : stored;
  if (!(json instanceof Uint8Array)) return json;
  const checked = checkMap(json);
  if ('fault' in checked) return checked;
  const own = debugIdOf(checked.debugId);
  // An id that was made of the map's bytes is no debug id, and has no dashes.
  return own !== undefined && id.includes('-') && own !== id ? { fault: `it is the map of ${own}` } : checked;
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array | { fault: string }> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  const json = await readBounded(stream, MAX_MAP_BYTES).catch(() => 'broken' as const);
  if (json === 'broken') return { fault: 'it is not gzip, or broken off' };
  return json ?? { fault: `it inflates to more than ${MAX_MAP_BYTES} bytes` };
}

async function hashOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
