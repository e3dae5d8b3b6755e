import type { StoredObject } from '../../server/storage.js';

/** What the viewer reads: a folder or a bucket. */
export interface ViewSource {
  /** For people. */
  name: string;
  /** How far it goes back, epoch milliseconds; absent: to the oldest. */
  sinceMillis?: number | undefined;
  /** Objects newest first, as far as the source goes back. */
  list(): Promise<ViewObject[]>;
  /** The bytes as they are stored; undefined for what is not in the listing, or is gone. */
  get(key: string): Promise<Uint8Array | undefined>;
}

/** An object as the viewer's page knows it. */
export interface ViewObject {
  key: string;
  size: number;
  /** Epoch milliseconds. */
  uploadedAt: number;
}

/** Larger objects are not read: the page would not show them either. */
export const MAX_OBJECT_BYTES = 67_108_864;
/** Objects that are known at one time; the oldest go first. */
export const MAX_OBJECTS = 100_000;

export function newestFirst(objects: ViewObject[]): ViewObject[] {
  return objects
    .sort((a, b) => b.uploadedAt - a.uploadedAt || (a.key < b.key ? 1 : -1))
    .slice(0, MAX_OBJECTS);
}

/** Names of what may hold OTLP/JSON. */
export function isTraceName(name: string): boolean {
  return /\.json(\.gz)?$/i.test(name);
}

export function toViewObject(
  { key, size, storedAtMillis }: StoredObject,
  minute: number | undefined,
): ViewObject {
  return { key, size, uploadedAt: storedAtMillis ?? minute ?? 0 };
}
