import {
  type DoneFate,
  type DoneNames,
  listManifests,
  MAX_MANIFEST_NAMES,
  manifestPrefix,
  mayHold,
  readManifest,
  splitKey,
  targetsOf,
  timesOf,
  writeManifest,
} from '../server/forwarded.js';
import type { StoredObject } from '../server/storage.js';
import { inLanes } from '../wire/lanes.js';
import type { ForwardStorage } from './patient-storage.js';

/** What is known of one folder. */
export interface FolderNotes {
  /** Whether there are so many manifests that {@link DoneNotes.compact} is due. */
  readonly areMany: boolean;
  /**
   * What has become of objects, where anything has. Of what is `into` others one of these has been there, or it is left
   * out: whoever was to write them did not come so far. @throws {StorageError}
   */
  of(objects: readonly { key: string }[]): Promise<DoneNames>;
}

/** What has become of objects, kept in the bucket as manifests; see `server/forwarded.ts`. */
export interface DoneNotes {
  /**
   * Looks into one folder anew.
   *
   * @param manifests those that are known of; others are not looked for. @throws {StorageError}
   */
  open(folder: string, manifests?: readonly { key: string }[]): Promise<FolderNotes>;
  /** Notes objects, of any folders. @throws {StorageError} */
  add(done: Iterable<[key: string, fate: DoneFate]>): Promise<void>;
  /** Makes few of many manifests of one folder. @throws {StorageError} */
  compact(folder: string): Promise<void>;
}

/** More are made into one, since the endpoint reads those that may hold a name. */
const FEW_MANIFESTS = 8;
/** Where several write at once and none has the folder to itself, it is done less often. */
const MANY_MANIFESTS = 24;
/** Read for one compaction, so that memory is bounded. */
const MAX_COMPACTED = 500;
/** A manifest that is so large stays as it is. */
const LARGE_BYTES = MAX_MANIFEST_NAMES * 20;

export function createDoneNotes(
  storage: ForwardStorage,
  { statePrefix, concurrency }: { statePrefix: string; concurrency: number },
): DoneNotes {
  const put = async (prefix: string, names: readonly [name: string, fate: DoneFate][]): Promise<void> => {
    const key = `${prefix}${timesOf(names.map(([name]) => name))}-${crypto.randomUUID()}.json`;
    await storage.put(key, writeManifest(names), { contentType: 'application/json' });
  };

  /** Whether an object is there, or was, and something is known of it. */
  const wasMade = async (key: string): Promise<boolean> => {
    const { objects } = await storage.list(key);
    if (objects.some((object) => object.key === key)) return true;
    const { folder, name } = splitKey(key);
    const prefix = await manifestPrefix(statePrefix, folder);
    const done: DoneNames = new Map();
    for (const manifest of await listManifests(storage, prefix)) {
      if (mayHold(manifest.key, name)) await readManifest(storage, manifest.key, done);
    }
    return done.has(name);
  };

  /** Without what was to be written to others, and was not. */
  const settled = async (done: DoneNames, names: readonly string[]): Promise<DoneNames> => {
    const kept: DoneNames = new Map();
    const made = new Map<string, boolean>();
    for (const name of names) {
      const fate = done.get(name);
      const targets = targetsOf(fate);
      let isMade = targets.length === 0;
      for (const target of targets) {
        if (isMade) break;
        isMade = made.get(target) ?? (await wasMade(target));
        made.set(target, isMade);
      }
      if (fate && isMade) kept.set(name, fate);
    }
    return kept;
  };

  return {
    async open(folder, known) {
      const prefix = await manifestPrefix(statePrefix, folder);
      const unread = new Set((known ?? (await listManifests(storage, prefix))).map(({ key }) => key));
      const done: DoneNames = new Map();
      return {
        areMany: unread.size > MANY_MANIFESTS,
        async of(objects) {
          const names = objects.map(({ key }) => splitKey(key).name);
          const wanted = [...unread].filter((manifest) => names.some((name) => mayHold(manifest, name)));
          await inLanes(wanted, concurrency, async (manifest) => {
            await readManifest(storage, manifest, done);
            unread.delete(manifest);
          });
          return settled(done, names);
        },
      };
    },

    async add(done) {
      const folders = new Map<string, [string, DoneFate][]>();
      for (const [key, fate] of done) {
        const { folder, name } = splitKey(key);
        const names = folders.get(folder) ?? [];
        folders.set(folder, names);
        names.push([name, fate]);
      }
      await inLanes([...folders], concurrency, async ([folder, names]) =>
        put(await manifestPrefix(statePrefix, folder), names),
      );
    },

    async compact(folder) {
      const prefix = await manifestPrefix(statePrefix, folder);
      const small = (await listManifests(storage, prefix)).filter(({ size }) => !(size > LARGE_BYTES));
      if (small.length <= FEW_MANIFESTS) return;
      const done: DoneNames = new Map();
      const read: string[] = [];
      await inLanes(small.slice(0, MAX_COMPACTED), concurrency, async ({ key }) => {
        if (await readManifest(storage, key, done)) read.push(key);
      });
      // In the order of names, which is that of time, so that each covers little of it.
      const names = [...done].sort(([one], [other]) => (one < other ? -1 : 1));
      for (let start = 0; start < names.length; start += MAX_MANIFEST_NAMES) {
        await put(prefix, names.slice(start, start + MAX_MANIFEST_NAMES));
      }
      // Only what was read: another may be at the same work.
      await inLanes(read, concurrency, (key) => storage.delete(key));
    },
  };
}

/** Manifests of folders that are asked for in the order of keys: one listing for all, which may be a little old. */
export function createManifestWalk(
  storage: ForwardStorage,
  statePrefix: string,
): (folder: string) => Promise<StoredObject[]> {
  let ahead: StoredObject[] = [];
  let asked = '';
  let answered: StoredObject[] = [];
  let reached = '';
  let hasEnded = false;
  return async (folder) => {
    const prefix = await manifestPrefix(statePrefix, folder);
    // Hashes are in no order.
    if (prefix < asked || prefix.includes('/~')) return listManifests(storage, prefix);
    // A large folder is asked for with each page of its objects.
    if (prefix === asked) return answered;
    asked = prefix;
    const found: StoredObject[] = [];
    for (;;) {
      const skipped = ahead.findIndex(({ key }) => key > prefix);
      ahead = skipped < 0 ? [] : ahead.slice(skipped);
      const beyond = ahead.findIndex(({ key }) => !key.startsWith(prefix));
      found.push(...ahead.splice(0, beyond < 0 ? ahead.length : beyond));
      if (ahead.length > 0 || hasEnded) break;
      const after = reached > prefix ? reached : prefix;
      const page = await storage.list(`${statePrefix}/done/`, { after });
      ahead = page.objects.filter(({ key }) => key > after);
      // Also where a store goes on without anything new.
      hasEnded = page.cursor === undefined || ahead.length === 0;
      reached = ahead.at(-1)?.key ?? after;
    }
    answered = found;
    return found;
  };
}
