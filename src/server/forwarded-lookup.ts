import {
  type DoneNames,
  listManifests,
  manifestPrefix,
  mayHold,
  readManifest,
  splitKey,
} from './forwarded.js';
import type { Storage, StoredObject } from './storage.js';

/** Answers whether `forward` is done with an object that is not there. For one exchange: what it has read, it keeps. */
export interface ForwardedLookup {
  /** Undefined: there was no room left to find out. Rejects when the store fails. */
  has(key: string): Promise<boolean | undefined>;
}

interface Folder {
  manifests: Promise<StoredObject[]>;
  /** What has been read of each. False: it has become one with others meanwhile. */
  read: Map<string, Promise<boolean>>;
  done: DoneNames;
}

/** @param mayAsk takes one more question to the store; false when there are to be no more. */
export function createForwardedLookup(
  storage: Pick<Storage, 'list' | 'get'>,
  statePrefix: string,
  mayAsk: () => boolean,
): ForwardedLookup {
  const folders = new Map<string, Folder>();

  const open = (folder: string): Folder => ({
    manifests: manifestPrefix(statePrefix, folder).then((prefix) => listManifests(storage, prefix)),
    read: new Map(),
    done: new Map(),
  });

  return {
    async has(key) {
      const { folder: name, name: wanted } = splitKey(key);
      let folder = folders.get(name);
      if (!folder) {
        if (!mayAsk()) return undefined;
        folder = open(name);
        folders.set(name, folder);
      }
      for (const { key: manifest } of await folder.manifests) {
        if (folder.done.has(wanted)) return true;
        if (!mayHold(manifest, wanted)) continue;
        let reading = folder.read.get(manifest);
        if (!reading) {
          if (!mayAsk()) return undefined;
          reading = readManifest(storage, manifest, folder.done);
          folder.read.set(manifest, reading);
        }
        // Gone, so it is part of another by now, which is not in our list. The client asks again.
        if (!(await reading)) return undefined;
      }
      return folder.done.has(wanted);
    },
  };
}
