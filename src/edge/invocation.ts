/**
 * One call of a handler: its span begins, the handler runs in its context, and once the answer is out and the handler's
 * own background work is over, the spans are sent. Nothing of it outlives it, and it shares nothing with others.
 */
import {
  type Attributes,
  type Baggage,
  context,
  type Link,
  propagation,
  type Span,
  type SpanContext,
  trace,
} from '@opentelemetry/api';
import type { Config } from '../sdk/tracer-provider.js';
import { backgroundOf, createWork } from './background.js';
import { failWith } from './failure.js';
import { guard } from './report.js';
import type { Setup } from './setup.js';
import { createInvocationSpans } from './spans.js';
import { type Invocation, setContextOf, surroundings, tracer, withInvocation } from './tracing.js';

/** What has called the handler. */
export interface Trigger {
  readonly name: string;
  /** `SpanKind`. */
  readonly kind: number;
  readonly attributes: Attributes;
  /** In another process. */
  readonly parent?: SpanContext | undefined;
  /** That the caller sent along. */
  readonly baggage?: Baggage | undefined;
  readonly links?: Link[];
  /**
   * The handler has answered. Says so on the span, if that is recorded, and gives what the runtime gets.
   *
   * @param end to be called once the answer is out.
   */
  answered(answer: unknown, span: Span, end: () => void): unknown;
}

export interface RunningInvocation {
  /** What the handler is to be called with. */
  readonly args: unknown[];
  /** Calls the handler in the context of its span. */
  run<R>(task: () => R): R;
  /** @returns what the runtime gets for the handler's answer. Never throws. */
  answered(answer: unknown): unknown;
  /** The handler has thrown. Never throws. */
  failed(error: unknown): void;
}

/** `SamplingDecision.NOT_RECORD` for all that begins below a span that is not recorded: an invocation is kept whole. */
const NOTHING: Pick<Config, 'sampler' | 'spanProcessors'> = {
  sampler: { shouldSample: () => ({ decision: 0 }) },
  spanProcessors: [],
};

/** Whether this is the isolate's first. */
let isCold = true;

/**
 * @param args of the handler, the first of which is the request or event.
 * @throws what a stand-in of the host's throws; nothing has begun then.
 */
export function beginInvocation(setup: Setup, trigger: Trigger, args: readonly unknown[]): RunningInvocation {
  const { options, runtime, resource, sampler } = setup;
  const { name, kind, links = [], parent, baggage } = trigger;
  const work = createWork();
  const background = backgroundOf(args, work);
  const { waitUntil } = background;
  const spans = createInvocationSpans(setup, waitUntil ? undefined : work);
  let config = { resource, sampler, spanProcessors: [spans.processor] } as unknown as Config;
  let isOver = false;
  const invocation: Invocation = {
    get config() {
      return config;
    },
    tracer: tracer(),
    propagation: setup.propagation,
    get isOver() {
      return isOver;
    },
  };
  const attributes = runtime.isFunction
    ? { ...trigger.attributes, 'faas.coldstart': isCold }
    : trigger.attributes;
  const bare = withInvocation(surroundings(), invocation);
  const around = baggage ? propagation.setBaggage(bare, baggage) : bare;
  const from = parent ? trace.setSpanContext(around, parent) : around;
  const span = tracer().startSpan(name, { kind, attributes, links }, from);
  isCold = false;
  const own = trace.setSpan(around, span);
  setContextOf(args[0] as object, own);
  const run = <R>(task: () => R): R => context.with(own, task);

  if (!span.isRecording()) {
    config = { ...config, ...NOTHING };
    return {
      args: [...args],
      run,
      answered: (answer) => guard(() => trigger.answered(answer, span, () => {})) ?? answer,
      failed() {},
    };
  }

  let allSent = (): void => {};
  const sent = new Promise<void>((resolve) => {
    allSent = resolve;
  });
  const finish = async (): Promise<void> => {
    await work.over(options.waitTimeoutMillis);
    const finished = spans.finish();
    isOver = true;
    await finished;
    allSent();
  };
  let isEnded = false;
  const end = (): void => {
    if (isEnded) return;
    isEnded = true;
    guard(() => span.end());
    void finish();
  };
  // From the start: a client that goes away would end the invocation.
  guard(() => waitUntil?.(sent));
  return {
    args: background.args,
    run,
    answered(answer) {
      const given = guard(() => ({ answer: trigger.answered(answer, span, end) }));
      if (!given) end();
      return given ? given.answer : answer;
    },
    failed(error) {
      guard(() => failWith(span, error));
      end();
    },
  };
}
