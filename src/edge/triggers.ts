/** What calls a handler, and what its span says of that: requests, schedules, batches of messages. */
import { type Attributes, type Link, SpanKind } from '@opentelemetry/api';
import { parseTraceparent } from '../sdk/trace-context.js';
import type { BodyEnd } from './body-streams.js';
import { callerOf } from './caller.js';
import { failWith } from './failure.js';
import type { Trigger } from './invocation.js';
import { guard } from './report.js';
import { watchBody } from './response-body.js';
import { describeAnswer, isResponse, serverSpanOf } from './server-span.js';
import { withServerTiming } from './server-timing.js';
import type { Setup } from './setup.js';

/** Makes a trigger of a handler's first argument. Throws where it is not what it should be. */
export type TriggerOf = (setup: Setup, event: never) => Trigger;

export function requestTrigger({ options, runtime }: Setup, request: Request): Trigger {
  const { routeOf, serverTiming, trustTraceparent } = options;
  const start = serverSpanOf(request, runtime);
  return {
    ...start,
    ...callerOf(request, trustTraceparent),
    kind: SpanKind.SERVER,
    answered(answer, span, end) {
      describeAnswer(span, start.name, answer, routeOf && ((response) => routeOf(request, response)));
      if (!isResponse(answer)) {
        end();
        return answer;
      }
      const told = serverTiming ? withServerTiming(answer, span.spanContext()) : answer;
      if (!span.isRecording()) return told;
      const bodyEnded = (error: unknown, how: BodyEnd): void => {
        if (how !== 'whole') span.setAttribute('spandrel.body.end', how);
        if (how === 'failed') failWith(span, error);
        end();
      };
      return watchBody(told, bodyEnded, request.method === 'HEAD');
    },
  };
}

/** A handler that answers nothing. */
const unanswered: Trigger['answered'] = (answer, _span, end) => {
  end();
  return answer;
};

/** Of Workers, as far as it is read. */
interface ScheduledEvent {
  readonly cron?: string;
  /** Epoch milliseconds. */
  readonly scheduledTime?: number;
}

/** @see https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/#timer */
export function scheduledTrigger(_setup: Setup, { cron, scheduledTime }: ScheduledEvent): Trigger {
  const attributes: Attributes = { 'faas.trigger': 'timer' };
  if (cron) attributes['faas.cron'] = cron;
  if (Number.isFinite(scheduledTime)) {
    attributes['faas.invocation.start_time'] = new Date(scheduledTime as number).toISOString();
  }
  return { name: 'scheduled', kind: SpanKind.SERVER, attributes, answered: unanswered };
}

/** Of Workers, as far as it is read. */
interface MessageBatch {
  readonly queue: string;
  readonly messages: readonly { readonly body: unknown }[];
}

/** As many as a span may have. */
const MAX_LINKS = 128;

/** To where the messages come from, if their bodies say so in a field `traceparent`. */
function linksOf({ messages }: MessageBatch): Link[] {
  const links: Link[] = [];
  for (const { body } of messages.slice(0, MAX_LINKS)) {
    const { traceparent } = (body ?? {}) as { traceparent?: unknown };
    const context = typeof traceparent === 'string' ? parseTraceparent(traceparent) : undefined;
    if (context) links.push({ context });
  }
  return links;
}

/** @see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ */
export function queueTrigger(_setup: Setup, batch: MessageBatch): Trigger {
  const { queue, messages } = batch;
  return {
    name: `process ${queue}`,
    kind: SpanKind.CONSUMER,
    attributes: {
      'faas.trigger': 'pubsub',
      'messaging.system.name': 'cloudflare_queues',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': queue,
      'messaging.batch.message_count': messages.length,
    },
    links: guard(() => linksOf(batch)) ?? [],
    answered: unanswered,
  };
}
