/**
 * Keeps the spans of a trace on one clock. OpenTelemetry takes a span's start from `Date.now()`, so after a jump of the
 * wall clock a child would begin hours before or after its parent.
 *
 * @see https://github.com/open-telemetry/opentelemetry-js/issues/3355
 */
import { type Context, type HrTime, type Span, trace } from '@opentelemetry/api';
import type { PageClock } from '../platform/clock.js';

/** Clocks that are set right little by little are never off by as much. */
const JUMP_MILLIS = 1_000;

type StartingSpan = Span & { startTime: HrTime };

/**
 * @param clock that of the page's own spans.
 * @param scope the global object.
 * @returns what a span processor does when a span starts: one that was given no start begins now by the clock of its
 *   trace, and not by the milliseconds of `Date.now()`, which may be before its parent or after its child. One that came
 *   after a jump is put where it belongs in its trace, and marked `spandrel.clock.shift_millis`. Its end follows, as it
 *   is counted from its start.
 */
export function createSpanClock(
  clock: Pick<PageClock, 'wall'>,
  scope: typeof globalThis = globalThis,
): (span: StartingSpan, parent: Context) => void {
  const offsets = new WeakMap<object, number>();
  return (span, context) => {
    const date = scope.Date.now();
    const moment = scope.performance.now();
    const offset = date - moment;
    const page = clock.wall(0);
    const parent = trace.getSpan(context);
    const inherited = parent && offsets.get(parent);
    const own = inherited ?? (Math.abs(page - offset) < JUMP_MILLIS ? page : offset);
    offsets.set(span, own);
    if (inherited === undefined) return;
    const shift = offset - own;
    const isJump = Math.abs(shift) >= JUMP_MILLIS;
    const [seconds, nanos] = span.startTime;
    const start = seconds * 1e3 + nanos / 1e6;
    const isGiven = Math.abs(start - date) >= 1;
    // A start that was given may be on the trace's clock already.
    if (isJump ? Math.abs(start - date) > Math.abs(start - date + shift) : isGiven) return;
    const moved = isGiven ? start - shift : own + moment;
    span.startTime = [Math.floor(moved / 1e3), Math.round((moved % 1e3) * 1e6)];
    if (isJump) span.setAttribute('spandrel.clock.shift_millis', Math.round(shift));
  };
}
