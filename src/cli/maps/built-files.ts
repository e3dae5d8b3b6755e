/** What a bundler has written: files for browsers, and their source maps. */
import { lstat, opendir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { type CheckedMap, checkMap, MAX_MAP_BYTES } from '../../maps/check-map.js';
import { debugIdOf, isMapPath } from '../../maps/map-key.js';

/** A file with its map, or why that cannot be used. */
export type BuiltFile = { path: string } & (
  | { map: Uint8Array<ArrayBuffer>; id: string | undefined }
  | { fault: string }
  | { hasNone: true }
);

const SCRIPT = /\.[cm]?js$/i;
const SKIPPED = /^(\.git|node_modules)$/;
const MAX_SCRIPT_BYTES = 67_108_864;
const MAX_FILES = 100_000;
const MAP_COMMENT = /\/\/[#@] ?sourceMappingURL=(\S+)/g;
const ID_COMMENT = /\/\/# debugId=([\w-]{1,64})/g;
const INLINE = /^data:application\/json(?:;charset=[\w-]+)?;base64,/;

/** Paths of all scripts below a folder, with slashes, in order. Links are not followed. Rejects where it cannot be read. */
export async function findScripts(folder: string): Promise<string[]> {
  const found: string[] = [];
  const look = async (below: string): Promise<void> => {
    for await (const entry of await opendir(path.join(folder, below))) {
      const name = below ? `${below}/${entry.name}` : entry.name;
      if (entry.isDirectory() && !SKIPPED.test(entry.name)) await look(name);
      else if (entry.isFile() && SCRIPT.test(entry.name)) found.push(name);
      if (found.length > MAX_FILES) throw new Error(`there are more than ${MAX_FILES} scripts in it`);
    }
  };
  await look('');
  return found.sort();
}

/**
 * Reads one script and its map: the one that its comment names, inside or beside it, else the one beside it that is
 * called as it is, with `.map`.
 *
 * @param script below `folder`, with slashes.
 */
export async function readBuilt(folder: string, script: string): Promise<BuiltFile> {
  if (!isMapPath(script)) return { path: script, fault: 'its name is too long, or cannot be stored' };
  const file = path.join(folder, ...script.split('/'));
  if ((await lstat(file)).size > MAX_SCRIPT_BYTES)
    return { path: script, fault: 'it is too large for a script' };
  const code = await readFile(file, 'utf8');
  const url = lastOf(code, MAP_COMMENT);
  const map = INLINE.test(url ?? '') ? inlineMap(url ?? '') : await mapBeside(folder, file, url);
  if (map === undefined) {
    return url === undefined
      ? { path: script, hasNone: true }
      : { path: script, fault: 'the map that it names is not there' };
  }
  if (typeof map === 'string') return { path: script, fault: map };
  return withId(script, map, lastOf(code, ID_COMMENT), checkMap(map));
}

function withId(
  script: string,
  map: Uint8Array<ArrayBuffer>,
  said: string | undefined,
  checked: CheckedMap,
): BuiltFile {
  if ('fault' in checked) return { path: script, fault: `its map cannot be used: ${checked.fault}` };
  const [own, mapped] = [debugIdOf(said), debugIdOf(checked.debugId)];
  if (own !== undefined && mapped !== undefined && own !== mapped) {
    return { path: script, fault: `its debug id is ${own}, its map's ${mapped}: they are of two builds` };
  }
  return { path: script, map, id: own ?? mapped };
}

function inlineMap(url: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(url.replace(INLINE, ''), 'base64'));
}

/** @returns why not, where it is there and cannot be taken. */
async function mapBeside(
  folder: string,
  file: string,
  url: string | undefined,
): Promise<Uint8Array<ArrayBuffer> | string | undefined> {
  if (url && /^[a-z][a-z\d+.-]*:|^\/\//i.test(url)) return `its map is elsewhere (${url.slice(0, 100)})`;
  const name = url === undefined ? `${path.basename(file)}.map` : decoded(url);
  // From the root of the site, which is taken for the folder.
  const at = name.startsWith('/') ? path.join(folder, name) : path.join(path.dirname(file), name);
  const [root, real] = await Promise.all([realpath(folder), realpath(at).catch(() => undefined)]);
  if (real === undefined) return undefined;
  if (!real.startsWith(root + path.sep)) return 'its map lies outside of the folder';
  const about = await lstat(real);
  if (!about.isFile()) return undefined;
  if (about.size > MAX_MAP_BYTES) return `its map is larger than ${MAX_MAP_BYTES} bytes`;
  return new Uint8Array(await readFile(real));
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url.replace(/[?#].*$/, ''));
  } catch {
    return url;
  }
}

/** What the last match holds: comments at a file's end count, and not those that a string holds. */
function lastOf(code: string, pattern: RegExp): string | undefined {
  let last: string | undefined;
  for (const [, text] of code.matchAll(pattern)) last = text;
  return last;
}
