/** Answers in the words of OTLP/HTTP, in the encoding that was asked in. */
import type { Signal } from '../../object-key.js';
import { HTTP_STATUS, type Refusal, type RefusalCode } from '../refusal.js';
import { CONTENT_TYPES, type OtlpEncoding } from './body.js';

/** Items that were not taken, and why. */
export interface PartialSuccess {
  rejectedCount: number;
  message: string;
}

const REJECTED: Record<Signal, string> = { traces: 'rejectedSpans', logs: 'rejectedLogRecords' };

/** `google.rpc.Code`. @see https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const RPC_CODES: Record<RefusalCode, number> = {
  ...{ malformed: 3, bad_token: 16, bad_key: 16, unknown_project: 5, forbidden_origin: 7, not_found: 5 },
  ...{ method_not_allowed: 12, unsupported_type: 3, too_slow: 14, too_large: 8, rate_limited: 8 },
  ...{ storage_failed: 14, internal: 14 },
};
/** Exporters try again after 429, 502, 503 and 504, and after nothing else: what is not their fault must be one of these. */
const AGAIN_SECONDS = 10;

/**
 * `ExportTraceServiceResponse` or `ExportLogsServiceResponse`.
 *
 * @param partial where not all was taken.
 */
export function acceptedResponse(
  signal: Signal,
  partial: PartialSuccess | undefined,
  encoding: OtlpEncoding,
  headers: Headers,
): Response {
  if (encoding === 'json') {
    const partialSuccess = partial && {
      [REJECTED[signal]]: String(partial.rejectedCount),
      errorMessage: partial.message,
    };
    return respond(200, JSON.stringify(partialSuccess ? { partialSuccess } : {}), encoding, headers);
  }
  const bytes = partial
    ? lengthField(1, [...varintField(1, partial.rejectedCount), ...textField(2, partial.message)])
    : [];
  return respond(200, new Uint8Array(bytes), encoding, headers);
}

/** `google.rpc.Status`, without details. */
export function refusedResponse(refusal: Refusal, encoding: OtlpEncoding, headers: Headers): Response {
  for (const [name, value] of Object.entries(refusal.headers)) headers.set(name, value);
  const isOurs = refusal.code === 'too_slow' || refusal.code === 'internal';
  const status = isOurs ? 503 : HTTP_STATUS[refusal.code];
  if (status >= 500 && !headers.has('retry-after')) headers.set('retry-after', String(AGAIN_SECONDS));
  const [code, { message }] = [RPC_CODES[refusal.code], refusal];
  return encoding === 'json'
    ? respond(status, JSON.stringify({ code, message }), encoding, headers)
    : respond(status, new Uint8Array([...varintField(1, code), ...textField(2, message)]), encoding, headers);
}

function respond(status: number, body: BodyInit, encoding: OtlpEncoding, headers: Headers): Response {
  headers.set('content-type', CONTENT_TYPES[encoding]);
  return new Response(body, { status, headers });
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  return [...bytes, left];
}

const varintField = (number: number, value: number): number[] => [number * 8, ...varint(value)];
const lengthField = (number: number, content: readonly number[]): number[] => [
  number * 8 + 2,
  ...varint(content.length),
  ...content,
];
const textField = (number: number, text: string): number[] =>
  lengthField(number, Array.from(new TextEncoder().encode(text)));
