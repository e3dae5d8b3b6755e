/** What a collector's answer means. */
import type { Outcome } from '../pipeline/model.js';
import type { HttpAnswer } from '../platform/platform.js';
import { parse } from './endpoint.js';
import type { OtlpFormat } from './otlp-format.js';

/** 0 stands for no answer at all. */
const RETRYABLE: readonly number[] = [0, 429, 502, 503, 504];
/** As much of the other side's words as goes into `stats()`. */
const MAX_WORDS_CHARS = 200;
/** `{`, with which no protobuf answer begins: it would be a group. */
const BRACE = 0x7b;

/** `ExportTracePartialSuccess`, as far as it is one. */
interface PartialSuccess {
  rejectedSpans: number;
  errorMessage: string;
}

/**
 * The outcome of an export, and what the collector has to say about spans that it took.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 */
export function outcomeOf(
  answer: HttpAnswer,
  spanCount: number,
  answerOf?: OtlpFormat['answerOf'],
): { outcome: Outcome; warning?: string } {
  const { status, body, retryAfterMillis } = answer;
  if (status >= 200 && status < 300) {
    const { rejectedSpans, errorMessage } = partialSuccessIn(answer, answerOf);
    if (!rejectedSpans)
      return { outcome: { status: 'stored' }, ...(errorMessage && { warning: errorMessage }) };
    const cause = errorMessage || 'the collector gave no reason';
    const rejected = { spanCount: Math.min(rejectedSpans, spanCount), cause };
    return { outcome: { status: 'stored', rejected } };
  }
  const said = words(parse<{ message: unknown }>(body)?.message);
  const cause = status ? `HTTP ${status}${said && ': '}${said}` : body;
  return RETRYABLE.includes(status)
    ? { outcome: { status: 'retryable', retryAfterMillis, cause } }
    : { outcome: { status: 'rejected', reason: 'rejected', cause } };
}

/** Whatever the body is, it is read as well as it goes: the spans are stored. */
function partialSuccessIn({ body, bytes }: HttpAnswer, answerOf: OtlpFormat['answerOf']): PartialSuccess {
  let response: unknown;
  if (!answerOf || !bytes || bytes[0] === BRACE) response = parse(body);
  else {
    try {
      response = answerOf(bytes);
    } catch {
      // None of ours to judge.
    }
  }
  const { partialSuccess } = (response ?? {}) as { partialSuccess?: Record<string, unknown> };
  const { rejectedSpans, errorMessage } = partialSuccess ?? {};
  return { rejectedSpans: countOf(rejectedSpans), errorMessage: words(errorMessage) };
}

/** An int64, which JSON has as a string; 0 when it is none, or negative. */
function countOf(value: unknown): number {
  const count = typeof value === 'string' ? Number(value) : value;
  // A negative int64 that was read as an unsigned one is beyond what can be meant, too.
  return Number.isSafeInteger(count) && (count as number) > 0 ? (count as number) : 0;
}

const words = (text: unknown): string => (typeof text === 'string' ? text.slice(0, MAX_WORDS_CHARS) : '');
