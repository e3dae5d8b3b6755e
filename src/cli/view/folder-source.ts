import { open, opendir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  isTraceName,
  MAX_OBJECT_BYTES,
  MAX_OBJECTS,
  newestFirst,
  type ViewObject,
  type ViewSource,
} from './source.js';

/** Folders of programs, and those that begin with a dot, hold no traces. */
const SKIPPED = /^(\.|node_modules$)/;

/** The `.json` and `.json.gz` files of a folder, or one file. Links that lead out of it are not followed. */
export async function folderSource(target: string): Promise<ViewSource> {
  const root = await realpath(target);
  const isFolder = (await stat(root)).isDirectory();
  const base = isFolder ? root : path.dirname(root);
  let known = new Map<string, string>();

  async function* files(folder: string): AsyncGenerator<string> {
    const entries = await opendir(folder).catch(() => undefined);
    if (!entries) return;
    for await (const entry of entries) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory() && !SKIPPED.test(entry.name)) yield* files(file);
      else if ((entry.isFile() || entry.isSymbolicLink()) && isTraceName(entry.name)) yield file;
    }
  }

  /** Where a file really is, if that is inside. */
  async function inside(file: string): Promise<string | undefined> {
    const real = await realpath(file).catch(() => undefined);
    return real === root || real?.startsWith(base + path.sep) ? real : undefined;
  }

  return {
    name: target,
    async list() {
      const found = new Map<string, string>();
      const objects: ViewObject[] = [];
      for await (const file of isFolder ? files(root) : [root]) {
        const real = await inside(file);
        const about = real === undefined ? undefined : await stat(real).catch(() => undefined);
        if (!real || !about?.isFile() || about.size > MAX_OBJECT_BYTES) continue;
        const key = path.relative(base, file).split(path.sep).join('/');
        found.set(key, file);
        objects.push({ key, size: about.size, uploadedAt: Math.round(about.mtimeMs) });
        if (found.size >= MAX_OBJECTS) break;
      }
      known = found;
      return newestFirst(objects);
    },
    async get(key) {
      const file = known.get(key);
      // Asked again: what was a file may have become a link.
      const real = file && (await inside(file));
      if (!real) return undefined;
      const handle = await open(real).catch(() => undefined);
      try {
        const about = await handle?.stat();
        return handle && about?.isFile() && about.size <= MAX_OBJECT_BYTES
          ? await handle.readFile()
          : undefined;
      } finally {
        await handle?.close();
      }
    },
  };
}
