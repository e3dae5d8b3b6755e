/** Where a request comes from and what it brings, as far as it says so and is believed. */
import {
  type Baggage,
  baggageEntryMetadataFromString,
  type Context,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import { parseTraceparent, parseTracestate } from '../sdk/trace-context.js';
import type { CheckedEdgeOptions } from './options.js';
import { guard } from './report.js';

export interface Caller {
  /** The span that this request's goes on from. */
  readonly parent?: SpanContext | undefined;
  readonly baggage?: Baggage | undefined;
  /** Of a caller that is not believed. */
  readonly links?: Link[];
}

const NOBODY: Caller = {};

/** Never throws. */
export function callerOf(request: Request, trust: CheckedEdgeOptions['trustTraceparent']): Caller {
  const found = guard(() => broughtBy(request.headers)) ?? ROOT_CONTEXT;
  const parent = trace.getSpanContext(found);
  const baggage = propagation.getBaggage(found);
  if (!parent && !baggage) return NOBODY;
  const isTrusted = typeof trust === 'function' ? guard(() => trust(request)) : trust;
  // Nothing but true will do: a promise is no answer.
  if (isTrusted === true) return { parent, baggage };
  return parent ? { links: [{ context: parent }] } : NOBODY;
}

const HEADERS: TextMapGetter<Headers> = {
  get: (headers, name) => headers.get(name) ?? undefined,
  keys: (headers) => [...headers.keys()],
};

/** By the app's global propagator, else as W3C has it. */
function broughtBy(headers: Headers): Context {
  if (propagation.fields().length) return propagation.extract(ROOT_CONTEXT, headers, HEADERS);
  const parent = parseTraceparent(headers.get('traceparent'));
  const traceState = parent && parseTracestate(headers.get('tracestate'));
  const baggage = parseBaggage(headers.get('baggage'));
  const brought = parent
    ? trace.setSpanContext(ROOT_CONTEXT, traceState ? { ...parent, traceState } : parent)
    : ROOT_CONTEXT;
  return baggage ? propagation.setBaggage(brought, baggage) : brought;
}

/** What every server takes at least. */
const MAX_BAGGAGE_CHARS = 8192;
/** A key, a value, and properties of the two. */
const MEMBER = /^\s*([^\s=;]+)\s*=\s*([^\s;]+)\s*(?:;\s*(.*?)\s*)?$/;

/**
 * Entries that are none are left out.
 *
 * @see https://www.w3.org/TR/baggage/#header-content
 */
function parseBaggage(text: string | null): Baggage | undefined {
  if (!text || text.length > MAX_BAGGAGE_CHARS) return undefined;
  let found: Baggage | undefined;
  for (const member of text.split(',')) {
    const [, key = '', coded = '', properties] = MEMBER.exec(member) ?? [];
    try {
      const value = decodeURIComponent(coded);
      const metadata = properties && { metadata: baggageEntryMetadataFromString(properties) };
      if (key) {
        found ??= propagation.createBaggage();
        found = found.setEntry(decodeURIComponent(key), { value, ...metadata });
      }
    } catch {
      // Not coded as it has to be.
    }
  }
  return found;
}
