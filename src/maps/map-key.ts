/**
 * Where source maps lie: `maps/{project}/{release}/{path}~{id}.map.gz`, beside the traces and outside of their prefix, so
 * that no reader of traces lists them and no presigned upload names them.
 */
import { isKeySegment } from '../object-key.js';

export const MAPS_PREFIX = 'maps';

/** What a map's key says. */
export interface MapName {
  project: string;
  /** See {@link isRelease}. */
  release: string;
  /** Of the file that the browser runs, from where the upload began: `assets/app-4f2a.js`. */
  path: string;
  /** The file's debug id, or where it has none the first 32 digits of the map's SHA-256: lowercase hex and dashes. */
  id: string;
}

const RELEASE = /^[A-Za-z0-9][A-Za-z0-9._+@-]{0,127}$/;
const ID = /^[0-9a-f][0-9a-f-]{15,63}$/;
/** Stores take keys of 1,024 bytes. */
const MAX_PATH_CHARS = 500;
const SUFFIX = '.map.gz';

/** 1 to 128 letters, digits and `. _ + @ -`, of which the first is a letter or digit; what `service.version` says. */
export function isRelease(text: unknown): text is string {
  return typeof text === 'string' && RELEASE.test(text);
}

/** What {@link isRelease} takes, in words. */
export const RELEASE_TAKES = '1 to 128 letters, digits and . _ + @ -, the first a letter or digit';

/** A debug id as it stands in keys, or undefined where it is none. @see https://tc39.es/ecma426/ (proposal: debug ids) */
export function debugIdOf(value: unknown): string | undefined {
  const id = typeof value === 'string' ? value.toLowerCase() : '';
  return ID.test(id) ? id : undefined;
}

/** Whether a path can stand in a key: segments without `.` and `..`, joined by single slashes, 500 characters encoded. */
export function isMapPath(path: string): boolean {
  // Half of a surrogate pair cannot be encoded.
  if (/\p{Surrogate}/u.test(path) || encodePath(path).length > MAX_PATH_CHARS) return false;
  return path.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..');
}

/** Below which key the maps of a project lie, or of one of its releases. */
export function mapFolder(project: string, release?: string): string {
  return `${MAPS_PREFIX}/${project}/${release === undefined ? '' : `${encodeURIComponent(release)}/`}`;
}

export function mapKey({ project, release, path, id }: MapName): string {
  return `${mapFolder(project, release)}${encodePath(path)}~${id}${SUFFIX}`;
}

/** The inverse of {@link mapKey}; undefined for what is laid out otherwise. */
export function parseMapKey(key: string): MapName | undefined {
  if (!key.endsWith(SUFFIX)) return undefined;
  const [prefix, project = '', encodedRelease = '', ...rest] = key.slice(0, -SUFFIX.length).split('/');
  const name = rest.join('/');
  const tilde = name.lastIndexOf('~');
  const id = debugIdOf(name.slice(tilde + 1));
  try {
    const release = decodeURIComponent(encodedRelease);
    const path = decodeURIComponent(name.slice(0, Math.max(tilde, 0)));
    const isOurs = prefix === MAPS_PREFIX && isKeySegment(project) && isRelease(release) && isMapPath(path);
    return isOurs && id !== undefined ? { project, release, path, id } : undefined;
  } catch {
    return undefined;
  }
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
