/** Spans to the processor: begun when they begin, handed on the moment they end. */
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import type { Read } from './attributes.js';
import type { EventSpanProcessor } from './names.js';
import { EventSpan, type SpanFrame } from './span.js';
import type { EventStats } from './stats.js';
import { hrTimeOf } from './time.js';

export interface Emitter {
  /**
   * A span that has begun. It is to be announced when everything of ours is in order, since a processor may do anything.
   *
   * @param end what is done when somebody else ends it.
   * @param to where it goes in place of the session's processor.
   */
  make(
    ids: { traceId: string; spanId: string },
    name: string,
    parent: SpanContext | undefined,
    atMillis: number,
    read: Read,
    end: (atMillis: number) => void,
    to?: EventSpanProcessor,
  ): EventSpan;
  announce(span: EventSpan): void;
  /** Ends it, not before its start. */
  handOn(span: EventSpan, atMillis: number): void;
}

/** @param common attributes of every span. */
export function createEmitter(
  processor: EventSpanProcessor,
  frame: SpanFrame,
  stats: EventStats,
  common: Attributes,
): Emitter {
  const contexts = new WeakMap<SpanContext, Context>();

  const contextWith = (parent: SpanContext | undefined): Context => {
    if (!parent) return ROOT_CONTEXT;
    let context = contexts.get(parent);
    if (!context) {
      context = trace.setSpanContext(ROOT_CONTEXT, parent);
      contexts.set(parent, context);
    }
    return context;
  };

  return {
    make({ traceId, spanId }, name, parent, atMillis, read, end, to) {
      const context: SpanContext = { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
      Object.assign(read.attributes, common);
      stats.opened++;
      stats.open++;
      const { attributes, droppedAttributesCount } = read;
      const startTime = hrTimeOf(atMillis);
      return new EventSpan(
        {
          name,
          context,
          parent,
          atMillis,
          startTime,
          attributes,
          droppedAttributesCount,
          end,
          processor: to,
        },
        frame,
      );
    },
    announce(span) {
      try {
        (span.processor ?? processor).onStart(span, contextWith(span.parentSpanContext));
      } catch {
        stats.exceptions++;
      }
    },
    handOn(span, atMillis) {
      span.finish(atMillis);
      stats.closed++;
      stats.open--;
      try {
        (span.processor ?? processor).onEnd(span);
      } catch {
        stats.exceptions++;
      }
    },
  };
}
