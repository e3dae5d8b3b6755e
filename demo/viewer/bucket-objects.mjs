/** Reads the bucket through the host: lists objects, opens them, and hears of new ones. */

import { asCount, isRecord } from './any-value.mjs';

/** No stored object of ours inflates to this; a gzip bomb does. */
export const MAX_INFLATED_BYTES = 32 * 1024 * 1024;

/** @typedef {{ key: string, size: number, uploadedAt: number }} StoredObject `uploadedAt` in epoch milliseconds */

/**
 * One page of objects, newest first.
 *
 * @param {string} [after] the key where the page before ended
 * @returns {Promise<{ objects: StoredObject[], more: boolean }>} without entries that are no objects; `more` when there
 *   are older ones, or the host does not say that there are none
 * @throws {Error} when the host does not answer with a list
 */
export async function listObjects(after) {
  const query = after === undefined ? '' : `?after=${encodeURIComponent(after)}`;
  const response = await fetch(`/viewer/api/objects${query}`, { cache: 'no-store' });
  if (!response.ok) throw new Error(`the bucket's list answered ${response.status}`);
  const { objects, more } = await response.json();
  if (!Array.isArray(objects)) throw new Error("the bucket's list is no list");
  return {
    objects: objects.map(readStoredObject).filter((object) => object !== undefined),
    more: objects.length > 0 && more !== false,
  };
}

/**
 * Fetches one object, inflates and parses it.
 *
 * @returns {Promise<unknown>} the JSON in it
 * @throws {ObjectError} of kind `unreachable` (worth trying again) or `malformed`
 */
export async function readObject(key) {
  let response;
  try {
    response = await fetch(`/viewer/api/object?key=${encodeURIComponent(key)}`);
  } catch {
    throw new ObjectError('unreachable', 'no answer');
  }
  if (!response.ok || response.body === null) throw new ObjectError('unreachable', `HTTP ${response.status}`);
  try {
    return JSON.parse(await readText(response.body));
  } catch (error) {
    throw new ObjectError('malformed', error instanceof Error ? error.message : 'unreadable');
  }
}

/**
 * Hears of new objects until stopped. The browser reconnects by itself.
 *
 * @param {(object: StoredObject) => void} onObject
 * @param {(live: boolean) => void} onLive true on every (re)connection: objects may have been missed before it
 * @returns {() => void} stops
 */
export function watchObjects(onObject, onLive) {
  const source = new EventSource('/viewer/api/events');
  source.onopen = () => onLive(true);
  source.onerror = () => onLive(false);
  source.onmessage = ({ data }) => {
    const object = readStoredObject(parseOrUndefined(data));
    if (object !== undefined) onObject(object);
  };
  return () => source.close();
}

/** Why an object could not be shown. `kind` is `unreachable` or `malformed`. */
export class ObjectError extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

/**
 * Reads a stream as text; one that begins as gzip does is inflated.
 *
 * @param {ReadableStream<Uint8Array>} stream
 * @throws {Error} when it is broken gzip, no UTF-8, or larger than `maxBytes`
 */
export async function readText(stream, maxBytes = MAX_INFLATED_BYTES) {
  const { isGzip, whole } = await beginsAsGzip(stream);
  const reader = (isGzip ? whole.pipeThrough(new DecompressionStream('gzip')) : whole).getReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let byteCount = 0;
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    byteCount += chunk.value.byteLength;
    if (byteCount > maxBytes) {
      await reader.cancel();
      throw new Error(`inflates to more than ${maxBytes / 1024 / 1024} MiB`);
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
  return text + decoder.decode();
}

/** Looks at the first two bytes. @param {ReadableStream<Uint8Array>} stream */
async function beginsAsGzip(stream) {
  const reader = stream.getReader();
  const seen = [];
  const begin = () => seen.flatMap((chunk) => [...chunk.subarray(0, 2)]);
  while (begin().length < 2) {
    const { done, value } = await reader.read();
    if (done) break;
    seen.push(value);
  }
  const [first, second] = begin();
  const whole = new ReadableStream({
    async pull(controller) {
      const next = seen.length > 0 ? { done: false, value: seen.shift() } : await reader.read();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { isGzip: first === 0x1f && second === 0x8b, whole };
}

function readStoredObject(value) {
  if (!isRecord(value) || typeof value.key !== 'string') return undefined;
  return { key: value.key, size: asCount(value.size), uploadedAt: asCount(value.uploadedAt) };
}

function parseOrUndefined(json) {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
