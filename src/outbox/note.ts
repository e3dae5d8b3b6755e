/** The last words of a page: a note that says what its database may not hold. */
import { parseJson, toJson } from '../json.js';
import type { Notes, StoreKey } from '../platform/platform.js';
import type { AdoptDeps } from './adopt.js';
import { type BlobRecord, FORMAT } from './format.js';
import type { Wanted } from './records.js';

/** Browsers keep some 5 MiB of notes for a whole origin. */
const MAX_NOTE_CHARS = 1024 * 1024;

export const noteName = (place: string, page: string): string => `spandrel-2 ${place} ${page}`;

/**
 * What the database may not hold, as a redo log: whoever finds it makes it so, as often as it is found. A blob's
 * records are in it together or not at all.
 */
export function writeNote(notes: Notes, name: string, wanted: readonly Wanted[]): void {
  const byBlob = new Map<string, [StoreKey, unknown][]>();
  for (const { key, value } of wanted) {
    const id = key[3] as string;
    byBlob.set(id, [...(byBlob.get(id) ?? []), [key, value]]);
  }
  const logs = [...byBlob.values()].map((log) =>
    toJson(log.map(([key, value = null]) => [key, withoutBytes(value)])),
  );
  let room = MAX_NOTE_CHARS;
  const kept = logs
    .sort((a, b) => a.length - b.length)
    .filter((log) => {
      room -= log.length;
      return room >= 0;
    });
  if (!kept.length) notes.delete(name);
  else notes.set(name, `[${kept.join(',')}]`);
}

/** Bytes are base64 in a note. */
function withoutBytes(value: unknown): unknown {
  const { bytes } = (value ?? {}) as Partial<BlobRecord>;
  return bytes ? { ...(value as BlobRecord), bytes: { base64: base64Of(bytes) } } : value;
}

/** As many arguments as a call may have, with room. */
const CHUNK = 8_192;

function base64Of(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHUNK)
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}

export const bytesOf = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

/** Makes the database what the page said with its last words, however often it is done. */
export async function applyNote(
  { store, notes, place, corrupt }: Pick<AdoptDeps, 'store' | 'notes' | 'place' | 'corrupt'>,
  page: string,
): Promise<void> {
  const name = noteName(place, page);
  const text = notes?.get(name);
  try {
    const log = (parseJson(text ?? '[]') as [string[], unknown][][]).flat();
    const own = log.filter(
      ([key]) => key[0] === FORMAT && key[1] === place && key[2] === page && key.length > 3,
    );
    await store.write({
      deletes: own.filter(([, value]) => value === null).map(([key]) => key),
      puts: own.filter(([, value]) => value !== null).map(([key, value]) => [key, revived(value)]),
    });
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    corrupt();
  }
  notes?.delete(name);
}

/** Bytes are base64 in a note. */
function revived(value: unknown): unknown {
  const record = value as { bytes?: { base64?: string } };
  const base64 = record.bytes?.base64;
  return base64 === undefined ? value : { ...record, bytes: bytesOf(base64) };
}
