/** The messages between threads: plain data with a field that tells them from those of the app. */
import type { Key, Payload } from './options.js';

/** The field, and the format's version. */
const FIELD = 'spandrel.events';
const VERSION = 1;
/** Characters of a name or a track. */
const MAX_TEXT = 1_000;

export type EventMessage =
  | { kind: 'event'; name: string; payload: Payload | null; atMillis: number; track: Key | undefined }
  | { kind: 'end'; atMillis: number; track: Key | undefined };

export const messageOf = (message: EventMessage): object => ({ [FIELD]: VERSION, ...message });

const isKey = (value: unknown): value is Key =>
  typeof value === 'number' ? Number.isFinite(value) : isText(value);
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_TEXT;

/**
 * Reads what anybody may have sent.
 *
 * @returns null when it is not one of ours, undefined when it says that it is and is malformed.
 * @throws nothing for what came through a structured clone; else what its getters throw.
 */
export function parseMessage(data: unknown): EventMessage | null | undefined {
  if (typeof data !== 'object' || data === null || !Object.hasOwn(data, FIELD)) return null;
  const said = data as Record<string, unknown>;
  const { kind, name, payload = null, atMillis, track } = said;
  const isSound =
    said[FIELD] === VERSION && Number.isFinite(atMillis) && (track === undefined || isKey(track));
  if (!isSound) return undefined;
  const common = { atMillis: atMillis as number, track: track as Key | undefined };
  if (kind === 'end') return { kind, ...common };
  if (kind !== 'event' || !isText(name) || typeof payload !== 'object') return undefined;
  return { kind, name, payload, ...common };
}
