/** A page for the tests of what `start()` instruments: activities that remember, a clock, and globals of its own. */
import type { Attributes, Link, Span } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
import type { PageClock } from '../platform/clock.js';
import { type Activities, createActivities } from '../spa/activity.js';
import type { PartDeps } from '../spa/part.js';
import { createRouteName } from '../spa/route-name.js';
import { testClock } from './clock.js';
import { type TestPlatform, testPlatform } from './platform.js';

/** What OpenTelemetry's spans have beside their interface. */
export interface SeenSpan extends Span {
  name: string;
  attributes: Attributes;
  events: { name: string; attributes?: Attributes }[];
  links: Link[];
}

export interface TestPage {
  deps: PartDeps;
  platform: TestPlatform;
  clock: PageClock;
  activities: Activities;
  /** Roots, in the order in which they began. */
  roots: SeenSpan[];
  discarded: SeenSpan[];
  /** What `guard` caught. */
  exceptions: unknown[];
  /** Starts and ends a span under what is on. */
  work(): void;
}

export function testPage(): TestPage {
  const platform = testPlatform();
  const clock = testClock(platform.monotonic, platform.now() - platform.monotonic());
  const roots: SeenSpan[] = [];
  const discarded: SeenSpan[] = [];
  const exceptions: unknown[] = [];
  const provider = new BasicTracerProvider({
    spanProcessors: [
      {
        onStart(span) {
          if (!span.parentSpanContext) roots.push(span as never);
          activities.processor.onStart(span);
        },
        onEnd: (span) => activities.processor.onEnd(span),
        forceFlush: async () => {},
        shutdown: async () => {},
      },
    ],
  });
  const tracer = provider.getTracer('test');
  const discard = (span: Span): void => void discarded.push(span as never);
  const activities = createActivities({ tracer, clock, platform, discard });
  const deps: PartDeps = {
    ...{ tracer, activities, clock, platform, routeName: createRouteName(), onPage: () => () => {} },
    guard(task) {
      try {
        return task();
      } catch (error) {
        exceptions.push(error);
        return undefined;
      }
    },
  };
  const work = (): void => tracer.startSpan('work', {}, activities.parent()).end();
  return { deps, platform, clock, activities, roots, discarded, exceptions, work };
}
