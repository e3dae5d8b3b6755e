import { createMapCache } from '../../maps/map-cache.js';
import { rewriteStacks } from '../../maps/rewrite-request.js';
import { DEFAULT_PROJECT, parseObjectKey } from '../../object-key.js';
import type { Storage } from '../../server/storage.js';

/** What resolves the stacks of requests by the maps of the bucket that they come from: those of the key's project. */
export function rewriteByMaps(storage: Storage): (request: unknown, key: string) => Promise<number> {
  const maps = createMapCache({ storage });
  return (request, key) => rewriteStacks(maps, request, parseObjectKey(key)?.project ?? DEFAULT_PROJECT);
}
