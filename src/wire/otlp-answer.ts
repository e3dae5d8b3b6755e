/**
 * What one answer of an OTLP/HTTP endpoint means, for `otlp()` of pages and of the edge and for `forward` alike.
 *
 * Success is a 2xx *with an OTLP answer in it*. A login page, the front page of a website, the 204 of a tracker and the
 * half of a JSON all come with 2xx too, from what stands where a collector should, and have stored nothing.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 */

/** As much of an answer as was read. */
export interface OtlpAnswer {
  /** 0 where there was none. */
  status: number;
  /** As the header has it. */
  contentType?: string | undefined;
  /** Empty where it was too long, or broke off. Where there was no answer: why. */
  body: string;
  bytes?: Uint8Array | undefined;
}

export type OtlpMeaning =
  /** Taken, but for `rejectedCount` spans. `message`: what the endpoint has to say; may be empty. */
  | { status: 'accepted'; rejectedCount: number; message: string }
  /** 2xx, but nothing that an OTLP endpoint would say. */
  | { status: 'no-otlp'; message: string }
  /** To be tried again. */
  | { status: 'busy'; message: string }
  /** Any other status. */
  | { status: 'refused'; message: string };

/** 0 stands for no answer at all. */
const BUSY: readonly number[] = [0, 429, 502, 503, 504];
const PROTOBUF = 'application/x-protobuf';
/** The second is what Go and `new Response('{}')` make of JSON by themselves. */
const JSON_TYPES: readonly string[] = ['application/json', 'text/plain'];
/** Field 1, length-delimited: the only field that an `ExportTraceServiceResponse` has. */
const FIELD_1 = 0x0a;
const BRACE = 0x7b;
const MAX_WORDS_LENGTH = 200;

/**
 * @param decode reads an `ExportTraceServiceResponse` where protobuf was sent. It throws when the bytes are none.
 */
export function meaningOf(answer: OtlpAnswer, decode?: (bytes: Uint8Array) => unknown): OtlpMeaning {
  const { status, contentType, body } = answer;
  if (status >= 200 && status < 300) {
    const response = responseIn(answer, decode);
    if (!response) {
      const what = /^\s*</.test(body)
        ? 'a web page'
        : `HTTP ${status}, ${contentType || 'of no content type'}`;
      return {
        status: 'no-otlp',
        message: `it answers with ${what}, which is no OTLP answer; look at the URL`,
      };
    }
    const { rejectedSpans, errorMessage } = (response['partialSuccess'] ?? {}) as Record<string, unknown>;
    return { status: 'accepted', rejectedCount: countOf(rejectedSpans), message: oneLine(errorMessage) };
  }
  const words = status ? wordsOf(body) : body;
  const message = status ? `HTTP ${status}${words && ': '}${words}` : words;
  return { status: BUSY.includes(status) ? 'busy' : 'refused', message };
}

/** The `ExportTraceServiceResponse`; undefined when there is none. */
function responseIn(
  { contentType = '', body, bytes }: OtlpAnswer,
  decode?: (bytes: Uint8Array) => unknown,
): Record<string, unknown> | undefined {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase();
  const [first] = bytes ?? [];
  if (type === PROTOBUF || (!type && decode && first !== undefined && first !== BRACE)) {
    // No bytes are an empty message: all was taken.
    if (first === undefined) return {};
    if (!bytes || !decode) return first === FIELD_1 ? {} : undefined;
    try {
      return (decode(bytes) ?? undefined) as Record<string, unknown> | undefined;
    } catch {
      return undefined;
    }
  }
  if (type && !JSON_TYPES.includes(type)) return undefined;
  const said = parsed(body);
  // Unknown names are to be ignored, but a gateway may tell its errors with 200.
  const isError = said && ['error', 'errors', 'code', 'message'].some((name) => name in said);
  return isError && !('partialSuccess' in said) ? undefined : said;
}

/** An int64, which JSON has as a string; 0 when it is none, or negative. */
function countOf(value: unknown): number {
  const count = typeof value === 'string' ? Number(value) : value;
  // A negative int64 that was read as an unsigned one is beyond what can be meant, too.
  return Number.isSafeInteger(count) && (count as number) > 0 ? (count as number) : 0;
}

/** `google.rpc.Status` as JSON, or a line of text; a page is no explanation. */
function wordsOf(body: string): string {
  const said = oneLine(parsed(body)?.['message']);
  return said || (/^\s*[<{[]/.test(body) ? '' : oneLine(body));
}

/** A JSON object. */
function parsed(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

const NOT_PRINTED = /[\p{C}\p{Z}\ufffd\s]+/gu;

function oneLine(words: unknown): string {
  if (typeof words !== 'string') return '';
  return words.slice(0, MAX_WORDS_LENGTH).replace(NOT_PRINTED, ' ').trim();
}
