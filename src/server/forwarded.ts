/**
 * Which objects `forward` is done with: what it leaves in the bucket, so that an object that it has deleted or moved is
 * neither sent twice nor asked for again.
 *
 * `{statePrefix}/done/{folder of the objects}/{first}-{last}-{uuid}.json` is a manifest: names of objects of one folder,
 * and between which times, in milliseconds, twelve hex digits each, their UUIDv7s were made. It is written once and never
 * changed; several may become one, which is there before they are gone.
 */
import type { Storage, StoredObject } from './storage.js';
import { isObject } from './untrusted-body.js';
import { uuidV7Millis } from './uuid.js';

/** Where neither `forward` nor the endpoint is told otherwise. */
export const DEFAULT_STATE_PREFIX = 'spandrel-state';

/**
 * What has become of an object: `left` is put aside by name only, and stays where it is; `removed` was not to be kept. What
 * `compact` has written to others is `into {keys of these}`, from when they are about to be written, so that it counts once
 * one of them is there.
 */
export const DONE_FATES = ['sent', 'quarantined', 'left', 'removed'] as const;
export type DoneFate = (typeof DONE_FATES)[number] | Into;
/** Keys hold no spaces. */
export type Into = `into ${string}`;

export function intoOf(key: string): Into {
  return `into ${key}`;
}

/** The keys of a fate that is one of these. */
export function targetsOf(fate: DoneFate | undefined): string[] {
  return fate?.startsWith('into ') ? fate.split(' ').slice(1) : [];
}

/** Two notes may tell of one object: what is done with counts, and of those it may be in each. */
function addFate(done: DoneNames, name: string, fate: DoneFate): void {
  const targets = targetsOf(fate);
  const before = done.get(name);
  if (targets.length === 0 || !before) return void done.set(name, fate);
  const known = targetsOf(before);
  if (known.length > 0) done.set(name, intoOf([...new Set([...known, ...targets])].join(' ')));
}

/** What has become of the objects of one folder, by name. */
export type DoneNames = Map<string, DoneFate>;

/** Names in one manifest at most; some 800 KB. */
export const MAX_MANIFEST_NAMES = 20_000;
/** Names have up to 1,024 bytes. */
const MAX_MANIFEST_BYTES = 24 * 1024 * 1024;
const OURS = /^(?:traces|logs)_([0-9a-f-]{36})\.json\.gz$/;
const TRACES = /^traces_([0-9a-f-]{36})\.json\.gz$/;
const SPAN_OF_TIME = /\/([0-9a-f]{12})-([0-9a-f]{12})-[^/]*$/;
const PLAIN_FOLDER = /^[A-Za-z0-9][A-Za-z0-9._=-]*(\/[A-Za-z0-9][A-Za-z0-9._=-]*)*$/;
/** A key has at most 1,024 bytes, and the state prefix and the manifest's name need room. */
const MAX_FOLDER_LENGTH = 600;

/** Where the last slash parts a key. The folder is empty where there is none. */
export function splitKey(key: string): { folder: string; name: string } {
  const slash = key.lastIndexOf('/');
  return { folder: key.slice(0, Math.max(slash, 0)), name: key.slice(slash + 1) };
}

/** A folder as a part of other keys: itself, or its hash where it is long or odd. */
export async function folderInKey(folder: string): Promise<string> {
  if (folder.length <= MAX_FOLDER_LENGTH && PLAIN_FOLDER.test(folder)) return folder;
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(folder));
  return `~${Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** What the keys of a folder's manifests begin with. */
export async function manifestPrefix(statePrefix: string, folder: string): Promise<string> {
  return `${statePrefix}/done/${await folderInKey(folder)}/`;
}

/** The first part of a manifest's name. An id that tells no time makes a manifest that every name may be in. */
export function timesOf(names: Iterable<string>): string {
  let first = 'f'.repeat(12);
  let last = '0'.repeat(12);
  for (const name of names) {
    const time = timeOf(name);
    if (time === undefined) return `${'0'.repeat(12)}-${'f'.repeat(12)}`;
    if (time < first) first = time;
    if (time > last) last = time;
  }
  return `${first}-${last}`;
}

/** Whether a manifest, by its key, may hold a name. */
export function mayHold(manifestKey: string, name: string): boolean {
  const [, first = '', last = ''] = SPAN_OF_TIME.exec(manifestKey) ?? [];
  const time = timeOf(name);
  return !first || time === undefined || (first <= time && time <= last);
}

function timeOf(name: string): string | undefined {
  return uuidV7Millis(OURS.exec(name)?.[1] ?? '')
    ?.toString(16)
    .padStart(12, '0');
}

/** The bytes of a manifest. Of names that are laid out as ours, the id alone is written. */
export function writeManifest(done: Iterable<[name: string, fate: DoneFate]>): Uint8Array<ArrayBuffer> {
  const names = new Map<string, string[]>();
  const into = new Map<string, string[]>();
  const add = (lists: Map<string, string[]>, list: string, name: string): void => {
    const id = TRACES.exec(name)?.[1] ?? `/${name}`;
    const ids = lists.get(list);
    if (ids) ids.push(id);
    else lists.set(list, [id]);
  };
  for (const [name, fate] of done) {
    const targets = targetsOf(fate);
    if (targets.length === 0) add(names, fate, name);
    for (const target of targets) add(into, target, name);
  }
  const all = {
    v: 1,
    ...Object.fromEntries(names),
    ...(into.size > 0 && { into: Object.fromEntries(into) }),
  };
  return new TextEncoder().encode(JSON.stringify(all));
}

/**
 * Adds to `done` what a manifest says.
 *
 * @returns false when there is no such manifest, or no longer. One that cannot be read says nothing.
 * @throws {StorageError}
 */
export async function readManifest(
  storage: Pick<Storage, 'get'>,
  key: string,
  done: DoneNames,
): Promise<boolean> {
  const bytes = await storage.get(key, { maxBytes: MAX_MANIFEST_BYTES });
  if (!bytes) return false;
  for (const [name, fate] of parseManifest(bytes)) addFate(done, name, fate);
  return true;
}

function parseManifest(bytes: Uint8Array): [string, DoneFate][] {
  let manifest: unknown;
  try {
    manifest = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return [];
  }
  if (!isObject(manifest)) return [];
  const { into, ...lists }: Record<string, unknown> = { ...manifest };
  const fates: [DoneFate, unknown][] = [
    ...DONE_FATES.map((fate): [DoneFate, unknown] => [fate, lists[fate]]),
    ...Object.entries(into ?? {}).map(([key, list]): [DoneFate, unknown] => [intoOf(key), list]),
  ];
  return fates.flatMap(([fate, list]) => {
    const texts = Array.isArray(list) ? list.filter((name) => typeof name === 'string') : [];
    return texts.map((text): [string, DoneFate] => [
      text.startsWith('/') ? text.slice(1) : `traces_${text}.json.gz`,
      fate,
    ]);
  });
}

/** Every manifest of a folder. @throws {StorageError} */
export async function listManifests(storage: Pick<Storage, 'list'>, prefix: string): Promise<StoredObject[]> {
  const manifests: StoredObject[] = [];
  let cursor: string | undefined;
  do {
    const page = await storage.list(prefix, cursor === undefined ? {} : { cursor });
    manifests.push(...page.objects.filter(({ key }) => key.startsWith(prefix)));
    // A store that never comes to an end is not followed for ever.
    cursor = page.cursor === cursor ? undefined : page.cursor;
  } while (cursor !== undefined && manifests.length < MAX_MANIFESTS);
  return manifests;
}

/** Far more than `forward` lets stand. */
const MAX_MANIFESTS = 20_000;
