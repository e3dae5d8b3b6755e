/** What becomes of a blob by what a collector answered. */
import type { Outcome } from '../pipeline/model.js';
import type { HttpAnswer } from '../platform/platform.js';
import { meaningOf } from '../wire/otlp-answer.js';
import type { OtlpFormat } from './otlp-format.js';

/** What an answer can come to. */
type Answered = Extract<Outcome, { status: 'stored' | 'retryable' | 'rejected' }>;

/** The outcome of an export, and what the collector has to say about spans that it took. */
export function outcomeOf(
  answer: HttpAnswer,
  spanCount: number,
  answerOf?: OtlpFormat['answerOf'],
): { outcome: Answered; warning?: string } {
  const meaning = meaningOf(answer, answerOf);
  const { status, message } = meaning;
  if (status === 'refused') return { outcome: { status: 'rejected', reason: 'rejected', cause: message } };
  if (status !== 'accepted') {
    return { outcome: { status: 'retryable', retryAfterMillis: answer.retryAfterMillis, cause: message } };
  }
  const { rejectedCount } = meaning;
  if (!rejectedCount) return { outcome: { status: 'stored' }, ...(message && { warning: message }) };
  const cause = message || 'the collector gave no reason';
  return {
    outcome: { status: 'stored', rejected: { spanCount: Math.min(rejectedCount, spanCount), cause } },
  };
}
