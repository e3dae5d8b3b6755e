import type { MapName } from '../../maps/map-key.js';
import { putMap } from '../../maps/map-store.js';
import { isStorageError, type Storage } from '../../server/storage.js';
import { messageOf } from '../failure.js';
import { findScripts, readBuilt } from './built-files.js';

export interface UploadOptions extends Pick<MapName, 'project' | 'release'> {
  storage: Pick<Storage, 'put'>;
  /** What is published: paths of maps are those of their scripts below it. */
  folder: string;
  /** Which scripts of it; default all. */
  scripts?: readonly string[];
  signal?: AbortSignal;
  onProgress?(summary: UploadSummary): void;
}

export interface UploadSummary {
  /** Scripts looked at. */
  scripts: number;
  done: number;
  uploaded: number;
  /** Were stored already. */
  stored: number;
  /** Scripts without a map: libraries that came built, say. */
  withoutMap: number;
  /** Of maps that were uploaded, before compression. */
  bytes: number;
  /** Of those with a debug id. */
  debugIds: number;
  failures: { path: string; message: string }[];
}

/** Maps that are held and sent at one time. */
const LANES = 4;

/** Uploads the maps of what a bundler has written. Rejects where the folder cannot be read, where the store
 * refuses, and on abort. */
export async function uploadMaps(options: UploadOptions): Promise<UploadSummary> {
  const { folder, scripts = await findScripts(folder), signal, onProgress } = options;
  const summary: UploadSummary = {
    ...{ scripts: scripts.length, done: 0, uploaded: 0, stored: 0, withoutMap: 0, bytes: 0, debugIds: 0 },
    failures: [],
  };
  const queue = scripts.values();
  const lane = async (): Promise<void> => {
    for (const script of queue) {
      if (signal?.aborted) return;
      await uploadOne(script, options, summary).catch((error: unknown) => {
        // What the store has against one it has against all.
        if (isStorageError(error)) throw error;
        summary.failures.push({ path: script, message: messageOf(error) });
      });
      summary.done += 1;
      onProgress?.(summary);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  signal?.throwIfAborted();
  return summary;
}

async function uploadOne(
  script: string,
  { storage, folder, project, release }: UploadOptions,
  summary: UploadSummary,
): Promise<void> {
  const built = await readBuilt(folder, script);
  if ('hasNone' in built) summary.withoutMap += 1;
  else if ('fault' in built) summary.failures.push({ path: script, message: built.fault });
  else {
    const outcome = await putMap(storage, { project, release, path: built.path, id: built.id }, built.map);
    if (outcome === 'exists') summary.stored += 1;
    else {
      summary.uploaded += 1;
      summary.bytes += built.map.length;
    }
    if (built.id !== undefined) summary.debugIds += 1;
  }
}
