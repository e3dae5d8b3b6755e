/** What is read of a payload: it may be anything, and anybody's code may be behind its properties. */
import { type AttributeRules, type Read, readAttributes } from './attributes.js';
import { type Failure, failureOf } from './failure.js';
import type { Meaning } from './names.js';
import { type CheckedEventOptions, isKey, type Key, type KeyOf, type Payload } from './options.js';

export interface ReadPayload {
  readonly track: Key;
  readonly id: string | undefined;
  readonly parent: string | undefined;
  readonly read: Read;
  readonly failure: Failure | undefined;
}

const EMPTY: Payload = Object.freeze({});

type Reader = (payload: Payload, name: string) => Key | undefined;

const keyOf = (value: unknown): Key | undefined =>
  isKey(value) ? value : typeof value === 'bigint' ? String(value) : undefined;

function readerOf(where: KeyOf): Reader {
  if (typeof where === 'function') return (payload, name) => keyOf(where(payload, name));
  const names = typeof where === 'string' ? [where] : where;
  return (payload) => {
    for (const name of names) {
      const key = keyOf((payload as Record<string, unknown>)[name]);
      if (key !== undefined) return key;
    }
    return undefined;
  };
}

const textOf = (key: Key | undefined): string | undefined => (key === undefined ? undefined : String(key));

/**
 * @returns a function that reads a payload: undefined when it is none. It throws what the payload, or a function of the
 *   options, throws.
 */
export function createPayloadReader(
  options: CheckedEventOptions,
  rules: AttributeRules,
): (payload: unknown, meaning: Meaning, full: string) => ReadPayload | undefined {
  const trackOf = readerOf(options.track);
  const idOf = readerOf(options.id);
  const parentOf = readerOf(options.parent);
  return (given, meaning, full) => {
    if (given != null && (typeof given !== 'object' || Array.isArray(given))) return undefined;
    const payload = given ?? EMPTY;
    const failure = meaning.step === 'failed' ? failureOf(payload) : undefined;
    const read = readAttributes(payload, rules, failure?.key);
    if (meaning.attributes && meaning.step !== 'completed' && meaning.step !== 'failed') {
      Object.assign(read.attributes, meaning.attributes);
    }
    return {
      track: trackOf(payload, full) ?? options.mainTrack,
      id: textOf(idOf(payload, full)),
      parent: meaning.step === 'started' ? textOf(parentOf(payload, full)) : undefined,
      read,
      failure,
    };
  };
}
