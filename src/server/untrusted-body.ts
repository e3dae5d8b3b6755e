import { readBounded } from './bounded-read.js';
import { Refusal } from './refusal.js';

/** The body of a request, at most `maxBytes`. @throws {Refusal} `too_large`, or `malformed` when it breaks off. */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readBounded(request.body, maxBytes).catch(() => {
    throw new Refusal('malformed', 'the body broke off');
  });
  if (!bytes) throw new Refusal('too_large', `the body is over ${maxBytes} bytes`);
  return bytes;
}

/** Reads bytes as a JSON object in strict UTF-8. @throws {Refusal} `malformed`. */
export function parseJsonObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    // A byte order mark is kept, and so refused: other readers of the same bytes would stumble over it.
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw new Refusal('malformed', 'the body is not JSON in UTF-8');
  }
  if (!isObject(value)) throw new Refusal('malformed', 'the body is not a JSON object');
  return value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
