/** Maps of releases, listed and opened when the first stack asks for them, and kept as long as there is room. */
import type { Storage } from '../server/storage.js';
import { isRelease } from './map-key.js';
import { listMaps, MAX_MAPS, readMap, type StoredMap } from './map-store.js';
import { type OpenMap, openMap } from './open-map.js';

/** A map, or why there is none. */
export type FoundMap = { map: OpenMap } | { why: string };

export interface MapCache {
  /** The map of the file that was loaded from `url`. Never rejects. */
  find(project: string, release: string, url: string): Promise<FoundMap>;
}

export interface MapCacheOptions {
  storage: Pick<Storage, 'list' | 'get'>;
  /** Memory of open maps, bytes; the longest unused go first. Default 512 MiB. */
  maxBytes?: number;
  /** Epoch milliseconds. Default `Date.now`. */
  now?: () => number;
}

/** A release's list is looked at again after this, as maps may be put after the pages. */
const LIST_MILLIS = 30_000;
/** Spans name releases, and anybody can send spans. */
const MAX_LISTS = 200;
const MAX_OPEN = 500;
const MAX_BYTES = 536_870_912;

interface Release {
  /** By the last segment of their paths. */
  byName: Map<string, StoredMap[]>;
  count: number;
  listedAt: number;
}

interface Opened {
  bytes: number;
  found: Promise<FoundMap>;
}

/** What could not be listed or read. */
const failed = (error: unknown): { why: string } => ({
  why: `the store failed: ${(error instanceof Error ? error.message : String(error)).slice(0, 200)}`,
});

export function createMapCache({ storage, maxBytes = MAX_BYTES, now = Date.now }: MapCacheOptions): MapCache {
  const releases = new Map<string, Promise<Release>>();
  const opened = new Map<string, Opened>();

  async function list(project: string, release: string): Promise<Release> {
    const byName: Release['byName'] = new Map();
    let count = 0;
    for await (const page of listMaps(storage, project, release)) {
      for (const map of page) {
        const name = lastSegment(map.path);
        byName.set(name, [...(byName.get(name) ?? []), map]);
      }
      count += page.length;
      if (count >= MAX_MAPS) break;
    }
    return { byName, count, listedAt: now() };
  }

  async function releaseOf(project: string, release: string): Promise<Release> {
    const key = `${project}/${release}`;
    const known = releases.get(key);
    const current = await known?.catch(() => undefined);
    if (current && now() - current.listedAt < LIST_MILLIS) return current;
    // Whoever came first asks; the others wait for the same.
    const asked = releases.get(key);
    if (asked && asked !== known) return asked;
    const listing = list(project, release);
    put(releases, key, listing, MAX_LISTS);
    listing.catch(() => releases.get(key) === listing && releases.delete(key));
    return listing;
  }

  async function open(stored: StoredMap): Promise<FoundMap> {
    const known = opened.get(stored.key);
    if (known) {
      put(opened, stored.key, known, MAX_OPEN);
      return known.found;
    }
    const entry: Opened = { bytes: 0, found: read(stored) };
    put(opened, stored.key, entry, MAX_OPEN);
    const found = await entry.found;
    entry.bytes = 'map' in found ? found.map.bytes : 0;
    makeRoom();
    return found;
  }

  async function read(stored: StoredMap): Promise<FoundMap> {
    try {
      const checked = await readMap(storage, stored);
      if ('fault' in checked) return { why: `the map of ${stored.path} cannot be read: ${checked.fault}` };
      return { map: openMap(checked.map) };
    } catch (error) {
      // What the store could not give now it may give later.
      opened.delete(stored.key);
      return (error as { code?: unknown }).code === 'SPANDREL_STORAGE'
        ? failed(error)
        : { why: `the map of ${stored.path} cannot be read: its mappings are damaged` };
    }
  }

  function makeRoom(): void {
    let bytes = 0;
    for (const entry of opened.values()) bytes += entry.bytes;
    for (const [key, entry] of opened) {
      if (bytes <= maxBytes || opened.size === 1) break;
      opened.delete(key);
      bytes -= entry.bytes;
    }
  }

  return {
    async find(project, release, url) {
      if (!isRelease(release))
        return { why: release ? 'its release is no release of maps' : 'it has no release' };
      const path = pathOf(url);
      if (path === undefined) return { why: 'it is of no file' };
      try {
        const { byName, count } = await releaseOf(project, release);
        if (count === 0) return { why: `release ${release} has no maps` };
        const stored = bestOf(byName.get(lastSegment(path)) ?? [], path);
        return stored ? await open(stored) : { why: `release ${release} has no map of ${path}` };
      } catch (error) {
        return failed(error);
      }
    },
  };
}

/**
 * The map whose path is the end of the address' path, or the other way about: pages may be served from a folder of what
 * was uploaded, and what was uploaded from a folder of the site. The longest is it; of several of one path the last.
 */
function bestOf(maps: readonly StoredMap[], path: string): StoredMap | undefined {
  const fitting = maps.filter(
    (map) => `/${path}`.endsWith(`/${map.path}`) || `/${map.path}`.endsWith(`/${path}`),
  );
  const [best] = fitting.sort(
    (one, other) =>
      other.path.length - one.path.length || (other.storedAtMillis ?? 0) - (one.storedAtMillis ?? 0),
  );
  return best;
}

/** `assets/app.js` of `https://shop.example/assets/app.js?v=2`. */
function pathOf(url: string): string | undefined {
  try {
    const { pathname } = new URL(url, 'http://page');
    return decodeURIComponent(pathname).replace(/^\/+/, '').slice(0, 1_000) || undefined;
  } catch {
    return undefined;
  }
}

const lastSegment = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** As the youngest; the oldest go where there are too many. */
function put<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= most) break;
    map.delete(oldest);
  }
}
