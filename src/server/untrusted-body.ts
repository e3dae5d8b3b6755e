import { readBounded } from '../wire/bounded-read.js';
import { DeadlineError, within } from './deadline.js';
import { BYTES_PER_CONTAINER, FREE_CONTAINERS, MAX_DEPTH } from './json-scan.js';
import { Refusal } from './refusal.js';

/** How much of a body is waited for. */
export interface BodyLimits {
  maxBytes: number;
  timeoutMillis: number;
}

/**
 * The body of a request.
 *
 * @throws {Refusal} `too_large` past `maxBytes`, `too_slow` past `timeoutMillis`, `malformed` when it breaks off.
 */
export async function readBody(
  request: Request,
  { maxBytes, timeoutMillis }: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const abort = new AbortController();
  try {
    const bytes = await within(timeoutMillis, 'the body', () =>
      readBounded(request.body, maxBytes, abort.signal),
    );
    if (bytes) return bytes;
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw new Refusal('malformed', 'the body broke off');
    abort.abort();
    throw new Refusal('too_slow', 'the body did not come in time');
  }
  throw new Refusal('too_large', `the body is over ${maxBytes} bytes`);
}

/**
 * Reads bytes as a JSON object in strict UTF-8.
 *
 * @param prepare what is done to the text before it is parsed. Default nothing.
 * @throws {Refusal} `malformed`.
 */
export function parseJsonObject(
  bytes: Uint8Array,
  prepare: (text: string) => string = (text) => text,
): Record<string, unknown> {
  if (!isPlausible(bytes))
    throw new Refusal('malformed', 'the body is nested too deeply, or is mostly brackets');
  let value: unknown;
  try {
    // A byte order mark is kept, and so refused: other readers of the same bytes would stumble over it.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(prepare(text));
  } catch {
    throw new Refusal('malformed', 'the body is not JSON in UTF-8');
  }
  if (!isObject(value)) throw new Refusal('malformed', 'the body is not a JSON object');
  return value;
}

/**
 * Whether JSON takes no more memory than its length lets expect. 8 MiB of `[` and `]` are 260 MB once parsed, and of
 * `[],` 190 MB, which is more than a Worker has.
 */
function isPlausible(bytes: Uint8Array): boolean {
  const [quote, backslash, bracket, brace] = [0x22, 0x5c, 0x5b, 0x7b];
  let left = FREE_CONTAINERS + bytes.length / BYTES_PER_CONTAINER;
  let depth = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === quote) isText = !isText;
    else if (isText) at += byte === backslash ? 1 : 0;
    else if (byte === bracket || byte === brace) {
      if (++depth > MAX_DEPTH || --left < 0) return false;
      // Closing ones are two above opening ones, in ASCII.
    } else if (byte === bracket + 2 || byte === brace + 2) depth--;
  }
  return true;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
