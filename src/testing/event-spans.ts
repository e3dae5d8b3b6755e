/** EventSpans in a test's world: a clock that the test moves, and a processor that keeps what it is handed. */
import assert from 'node:assert/strict';
import type { Context } from '@opentelemetry/api';
import { EventSpans } from '../events/event-spans.js';
import type { EventSpansOptions } from '../events/options.js';
import type { EventStats } from '../events/stats.js';
import type { OpenSpan, ReadableSpan } from '../pipeline/span.js';
import { testClock } from './clock.js';

/** When the session of every test starts. Epoch milliseconds. */
export const START = 1_790_000_000_000;

export interface TestEvents {
  readonly spans: EventSpans;
  /** Spans in the order in which they began, each with the context that the processor was given. */
  readonly begun: { span: OpenSpan; context: Context }[];
  /** Spans in the order in which they were handed on. */
  readonly ended: ReadableSpan[];
  /** Names of these. */
  names(): string[];
  /** The span of that name that ended last. @throws {AssertionError} when there is none. */
  span(name: string): ReadableSpan;
  /** Name of the parent of the span of that name. */
  parentOf(name: string): string | undefined;
  advance(millis: number): void;
}

export const idOf = (span: ReadableSpan): string => span.spanContext().spanId;

export const millisOfTime = ([seconds, nanos]: readonly [number, number]): number =>
  seconds * 1e3 + nanos / 1e6;

export function testEvents(options: Partial<EventSpansOptions> = {}): TestEvents {
  const begun: TestEvents['begun'] = [];
  const ended: ReadableSpan[] = [];
  let monotonic = 5_000;
  const processor = {
    onStart: (span: OpenSpan, context: Context) => void begun.push({ span, context }),
    onEnd: (span: ReadableSpan) => void ended.push(span),
  };
  const session = { id: 'tests', startedAt: START };
  const clock = testClock(() => monotonic, START - 5_000);
  const spans = new EventSpans({ processor, service: 'tests', session, ...options }, clock);
  const self: TestEvents = {
    spans,
    begun,
    ended,
    names: () => ended.map(({ name }) => name),
    span: (name) => ended.filter((span) => span.name === name).at(-1) ?? assert.fail(`no span ${name}`),
    parentOf(name) {
      const parentId = self.span(name).parentSpanContext?.spanId;
      return begun.find(({ span }) => idOf(span) === parentId)?.span.name;
    },
    advance(millis) {
      monotonic += millis;
    },
  };
  return self;
}

const sum = (counts: Partial<Record<string, number>>): number =>
  Object.values(counts).reduce<number>((total, each) => total + (each ?? 0), 0);

/** @throws {AssertionError} unless every call is in one counter, and every span that began has ended or is open. */
export function assertEventLedger(stats: EventStats): void {
  const { handled, started, stopped, events, sampledOut, ignored, dropped, opened, closed, open } = stats;
  const displaced = dropped['max-events'] ?? 0;
  const told = started + stopped + events + sampledOut + sum(ignored) + sum(dropped) - displaced;
  assert.equal(told, handled, JSON.stringify(stats));
  assert.equal(closed + open, opened, JSON.stringify(stats));
  assert.ok(open >= 0 && displaced <= events, JSON.stringify(stats));
}
