/** Where a request comes from and what it brings, as far as it says so and is believed. */
import {
  type Baggage,
  type BaggageEntry,
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
const MAX_ENTRIES = 180;

/**
 * Entries that are none are left out.
 *
 * @see https://www.w3.org/TR/baggage/#header-content
 */
function parseBaggage(text: string | null): Baggage | undefined {
  if (!text || text.length > MAX_BAGGAGE_CHARS) return undefined;
  const entries: Record<string, BaggageEntry> = Object.create(null);
  for (const member of text.split(',').slice(0, MAX_ENTRIES)) {
    const [, name = '', coded = '', properties] =
      /^\s*([^\s=;]+)\s*=\s*([^\s;]+)\s*(?:;(.*))?$/.exec(member) ?? [];
    try {
      const [key, value] = [decodeURIComponent(name), decodeURIComponent(coded)];
      if (!key) continue;
      const metadata = properties?.trim();
      entries[key] = metadata ? { value, metadata: baggageEntryMetadataFromString(metadata) } : { value };
    } catch {
      // Not coded as it has to be.
    }
  }
  const found = propagation.createBaggage(entries);
  return found.getAllEntries().length ? found : undefined;
}
