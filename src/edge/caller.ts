/** Where a request comes from, as far as it says so and is believed. */
import type { Link, SpanContext } from '@opentelemetry/api';
import { parseTraceparent, parseTracestate } from '../sdk/trace-context.js';
import type { CheckedEdgeOptions } from './options.js';
import { guard } from './report.js';

export interface Caller {
  /** The span that this request's goes on from. */
  readonly parent?: SpanContext;
  /** Of a caller that is not believed. */
  readonly links?: Link[];
}

const NOBODY: Caller = {};

/** Never throws. */
export function callerOf(request: Request, trust: CheckedEdgeOptions['trustTraceparent']): Caller {
  const { headers } = request;
  const found = parseTraceparent(headers.get('traceparent'));
  if (!found) return NOBODY;
  const traceState = parseTracestate(headers.get('tracestate'));
  const context = traceState ? { ...found, traceState } : found;
  const isTrusted = typeof trust === 'function' ? guard(() => trust(request)) : trust;
  // Nothing but true will do: a promise is no answer.
  return isTrusted === true ? { parent: context } : { links: [{ context }] };
}
