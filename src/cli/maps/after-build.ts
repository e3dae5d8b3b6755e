/** What the plugin does with what a bundler has written: debug ids, upload, and maps out of what is published. */
import { createHash } from 'node:crypto';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { debugIdOf } from '../../maps/map-key.js';
import { readBuilt } from './built-files.js';
import { type UploadOptions, type UploadSummary, uploadMaps } from './upload-maps.js';

export interface BuiltMaps extends Pick<UploadOptions, 'storage' | 'project' | 'release' | 'folder'> {
  /** Of the build, below the folder, with slashes. */
  files: readonly string[];
  /** Leaves maps where they are. */
  keepMaps: boolean;
}

const isScript = (file: string): boolean => /\.[cm]?js$/i.test(file);
const isMap = (file: string): boolean => /\.[cm]?js\.map$/i.test(file);
const MAX_TOLD = 5;

/**
 * Uploads the maps of a build, and removes them from its folder, whatever becomes of the upload: a build that fails must
 * not be published with its sources.
 *
 * @throws {Error} that says which maps could not be uploaded.
 */
export async function storeBuiltMaps({ files, keepMaps, ...upload }: BuiltMaps): Promise<UploadSummary> {
  const scripts = files.filter(isScript);
  try {
    for (const script of scripts) await writeDebugId(upload.folder, script);
    const summary = await uploadMaps({ ...upload, scripts });
    if (summary.failures.length === 0) return summary;
    const told = summary.failures.slice(0, MAX_TOLD).map((one) => `${one.path}: ${one.message}`);
    throw new Error(`${summary.failures.length} source maps were not uploaded: ${told.join('; ')}`);
  } finally {
    const maps = keepMaps ? [] : files.filter(isMap);
    await Promise.all(maps.map((map) => rm(path.join(upload.folder, map), { force: true })));
  }
}

/** Bundlers that write debug ids have done so; for the others both ends of it are written here, the same for the same map. */
async function writeDebugId(folder: string, script: string): Promise<void> {
  const built = await readBuilt(folder, script);
  if (!('map' in built) || built.id !== undefined) return;
  const file = path.join(folder, script);
  const id = uuidOf(built.map);
  const map = JSON.parse(new TextDecoder().decode(built.map)) as Record<string, unknown>;
  const isBeside = await readFile(`${file}.map`).catch(() => undefined);
  if (!isBeside || debugIdOf(map['debugId'])) return;
  await writeFile(`${file}.map`, JSON.stringify({ ...map, debugId: id }));
  await appendFile(file, `\n//# debugId=${id}\n`);
}

/** A UUID of version 8 that is the map's own. */
function uuidOf(bytes: Uint8Array): string {
  const digits = createHash('sha256').update(bytes).digest('hex');
  const parts = [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `a${digits.slice(17, 20)}`,
  ];
  return [...parts, digits.slice(20, 32)].join('-');
}
