/**
 * What a leaving page says when it is too late for the database: one note, kept synchronously, that the next page
 * reads beside the records. Without it a blob that went out with the page could go again under another key.
 */
import { parseJson, toJson } from '../json.js';
import type { StoreKey } from '../platform/platform.js';
import type { TraceBlob } from './model.js';
import { type BlobRecord, type BlobState, FORMAT, recordOf, stateOf } from './outbox-record.js';

/** A page's last words. */
export interface LastWords {
  v: typeof FORMAT;
  /** By blob id: the changing part, and the rest of blobs that are not in the database. */
  blobs: Record<string, { state: BlobState; record?: Omit<BlobRecord, 'bytes'> & { base64: string } }>;
  /** All of the checkpoint up to this record is in blobs; -1 for nothing. */
  sealed: number;
  /** The tail's blob: it is in others, as the checkpoint is. */
  tail: string;
  /** Blobs that may still be in the database, and are stored or dropped. */
  gone?: string[];
}

/** Browsers keep about 5 MiB for a whole origin. */
const MAX_CHARS = 1024 * 1024;
/** As many arguments as a call may have, with room. */
const CHUNK = 8_192;

export function base64Of(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHUNK)
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}

/** @returns undefined when it is no base64. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/**
 * @param unsaved what the database may not hold.
 * @param sealed up to which record the checkpoint is in blobs; `tail`: what had that id is as well.
 * @param undeleted what the database may still hold, and should not.
 * @returns undefined when there is nothing to say.
 */
export function lastWords(
  unsaved: readonly { blob: TraceBlob; whole: boolean }[],
  sealed: number,
  tail: string,
  undeleted: readonly StoreKey[] = [],
): string | undefined {
  const gone = undeleted.filter(([, , kind]) => kind === 'blob').map((key) => key.at(-1) as string);
  const hasStale = gone.length > 0 || undeleted.some(([, , kind]) => kind === 'spans');
  if (!unsaved.length && !hasStale) return undefined;
  const words: LastWords = { v: FORMAT, blobs: {}, sealed, tail, ...(gone.length && { gone }) };
  let chars = 0;
  const smallestFirst = [...unsaved].sort((a, b) => a.blob.bytes.length - b.blob.bytes.length);
  for (const { blob, whole } of smallestFirst) {
    const entry: LastWords['blobs'][string] = { state: stateOf(blob) };
    words.blobs[blob.id] = entry;
    if (!whole) continue;
    chars += (blob.bytes.length * 4) / 3;
    const { bytes, ...record } = recordOf(blob);
    if (chars <= MAX_CHARS) entry.record = { ...record, base64: base64Of(bytes) };
    // Better twice than never: what was not sent may still be in the checkpoint.
    else if (!blob.claim?.tries && !blob.relayed) words.sealed = -1;
  }
  return toJson(words);
}

/** @returns undefined when the text is none of ours. */
export function readLastWords(text: string | undefined): LastWords | undefined {
  try {
    const words = parseJson(text ?? 'null') as LastWords | null;
    const sound =
      words?.v === FORMAT &&
      Object.values(words.blobs).every((entry) => typeof entry?.state === 'object') &&
      Array.isArray(words.gone ?? []);
    return sound ? words : undefined;
  } catch {
    return undefined;
  }
}
