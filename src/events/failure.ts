/** What the end of an operation that failed says of why. */
import { type Attributes, SpanStatusCode } from '@opentelemetry/api';
import { exceptionAttributes } from '../spa/thrown.js';
import type { EventSpan } from './span.js';

/** Where a payload has what was thrown; the first that is there. */
const THROWN = ['error', 'exception', 'reason'];
const MESSAGES = ['message', 'error_message', 'errorMessage'];
/** Characters. */
const MAX_MESSAGE = 1_000;

export interface Failure {
  /** The property that says it all, and need not be an attribute as well. */
  readonly key: string | undefined;
  readonly message: string | undefined;
  /** Of an exception event. */
  readonly exception: Attributes | undefined;
}

/** @throws what the payload throws when it is read. */
export function failureOf(payload: object): Failure {
  const fields = payload as Record<string, unknown>;
  const key = THROWN.find((name) => fields[name] != null);
  // The payload may be the error itself.
  const thrown =
    key === undefined ? (typeof fields['stack'] === 'string' ? payload : undefined) : fields[key];
  if (typeof thrown === 'object' && thrown !== null) {
    const exception = exceptionAttributes(thrown, {});
    return { key, message: String(exception['exception.message'] || exception['exception.type']), exception };
  }
  const said = typeof thrown === 'string' ? thrown : MESSAGES.map((name) => fields[name]).find(isText);
  return { key: undefined, message: said?.slice(0, MAX_MESSAGE), exception: undefined };
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** Says it on the span. */
export function sayFailure(span: EventSpan, failure: Failure, atMillis: number): void {
  const { message, exception } = failure;
  const type = exception?.['exception.type'];
  if (type !== undefined) span.setAttribute('error.type', type);
  if (exception) span.note('exception', atMillis, exception, 0);
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message && { message }) });
}
