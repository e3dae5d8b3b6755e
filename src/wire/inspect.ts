import type { Signal } from '../object-key.js';
import type { CheckState, ContentLimits } from './check-json.js';
import { CHECKS } from './check-otlp.js';
import { type Fault, type Gunzip, type InflateLimits, inflateOne } from './inflate.js';
import { nameCount } from './json-names.js';
import type { RequestJson } from './otlp-json.js';

export interface InspectLimits extends InflateLimits, ContentLimits {}

/** An object that every backend should take. */
export interface Inspected {
  request: RequestJson;
  spanCount: number;
  inflatedBytes: number;
  /**
   * The JSON says something that readers may take otherwise than we did: a name twice in one object, or half of a
   * surrogate pair.
   */
  isAmbiguous: boolean;
}

export interface InspectOptions {
  signal: Signal;
  /** Look whether it is ambiguous, which takes a while and matters only where the stored bytes themselves go on. */
  asStored: boolean;
  /** Default: the runtime's `DecompressionStream`. */
  gunzip?: Gunzip | undefined;
}

/**
 * Whether stored bytes are one gzip member of one OTLP/JSON request, within the limits, of which each field has its
 * type and its range. First stage of the sender.
 *
 * Times are only checked for being times. Never rejects: what is wrong is an answer.
 */
export async function inspect(
  bytes: Uint8Array<ArrayBuffer>,
  limits: InspectLimits,
  { signal, asStored, gunzip }: InspectOptions,
): Promise<Inspected | Fault<'too-large' | 'not-gzip' | 'not-json' | 'not-otlp'>> {
  const inflated = await inflateOne(bytes, limits, gunzip);
  if ('reason' in inflated) return inflated;
  if (isMostlyBrackets(inflated)) return { reason: 'not-otlp', message: 'it is mostly brackets' };
  let text: string;
  let request: unknown;
  try {
    // A byte order mark is kept, and so refused: other readers of the same bytes would stumble over it.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(inflated);
  } catch {
    return { reason: 'not-json', message: 'it is not UTF-8' };
  }
  try {
    request = JSON.parse(text);
  } catch {
    return { reason: 'not-json', message: whyNotJson(text) };
  }
  const state: CheckState = { limits, spanCount: 0, nameCount: 0, depth: 0 };
  const wrong = CHECKS[signal].request(request, state);
  if (wrong) return { reason: 'not-otlp', message: `$${wrong}`.slice(0, MAX_MESSAGE_LENGTH) };
  return {
    request: request as RequestJson,
    spanCount: state.spanCount,
    inflatedBytes: inflated.length,
    isAmbiguous: asStored && (HALF_PAIR.test(text) || nameCount(text) !== state.nameCount),
  };
}

/** Also matches whole pairs, and text that only looks like an escape; nobody is hurt. */
const HALF_PAIR = /\\u[dD][89a-fA-F]/;

const MAX_MESSAGE_LENGTH = 300;

const SMALL_BYTES = 65_536;
/** Of OTLP it is one in twenty to thirty. */
const BRACKETS_ONE_IN = 8;
const [BRACKET, BRACE] = [0x5b, 0x7b] as const;

/** `JSON.parse` takes seconds and hundreds of MB to make millions of empty arrays or maps. */
function isMostlyBrackets(bytes: Uint8Array): boolean {
  if (bytes.length < SMALL_BYTES) return false;
  let count = 0;
  for (const byte of bytes) if (byte === BRACKET || byte === BRACE) count++;
  return count > bytes.length / BRACKETS_ONE_IN;
}

/** Most that is not JSON is several. */
function whyNotJson(text: string): string {
  const [first = ''] = text.split('\n', 1);
  if (first.length === text.length) return 'it is not JSON';
  try {
    JSON.parse(first);
    return 'it is JSON by lines; one object holds one request';
  } catch {
    return 'it is not JSON';
  }
}
