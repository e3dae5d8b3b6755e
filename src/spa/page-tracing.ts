/** What `start()` instruments: every part with what it needs, in the order in which they begin. */
import type { Context, ContextManager, Span, Tracer } from '@opentelemetry/api';
import type { PageOptions } from '../page-options.js';
import { createPageClock } from '../platform/clock.js';
import { onPageSignal } from '../platform/page-lifecycle.js';
import type { Platform, Stop } from '../platform/platform.js';
import { type Activities, createActivities } from './activity.js';
import { isLocalRoot, known, syntheticType } from './attributes.js';
import { createContextManager } from './context-manager.js';
import { traceDocumentLoad } from './document-load.js';
import { type RecordException, traceErrors } from './errors.js';
import { traceFetch } from './fetch.js';
import { traceInteractions } from './interactions.js';
import type { PartDeps } from './part.js';
import { createPropagation, names, type Propagation } from './propagation.js';
import { traceResources } from './resources.js';
import { createRouteName } from './route-name.js';
import { traceRoutes } from './routes.js';
import { createSpanClock } from './span-clock.js';
import { traceXhr } from './xhr.js';

export interface PageTracingDeps {
  platform: Pick<Platform, 'after' | 'isOwnRequest'>;
  guard<T>(task: () => T): T | undefined;
  /** Whether trace ids may go to servers. */
  mayPropagate(): boolean;
  /** See `ActivitiesDeps.discard`. */
  discard(span: Span): void;
  /** Calls `begin` with the parts that can wait, at once or when they are there. */
  withLate(begin: (parts: LateParts) => void): void;
}

/** Parts that may begin after the page's load: the browser keeps entries for the first two. */
export interface LateParts {
  traceLongFrames(deps: PartDeps): Stop;
  traceWebVitals(deps: PartDeps): Stop;
  traceFrustration(deps: PartDeps): Stop;
}

export interface PageTracing {
  /** For the tracer provider, in front of the exporting processor. */
  readonly processor: Pick<Activities['processor'], 'onEnd'> & {
    onStart(span: Span, parent: Context): void;
    forceFlush(): Promise<void>;
    shutdown(): Promise<void>;
  };
  readonly contextManager: ContextManager;
  /** Begins, with spans from this tracer. */
  begin(tracer: Tracer): void;
  recordException: RecordException;
  stop: Stop;
}

export function createPageTracing(deps: PageTracingDeps, options: PageOptions): PageTracing {
  const { platform, guard } = deps;
  const clock = createPageClock();
  const spanClock = createSpanClock(clock);
  const stops: Stop[] = [];
  let activities: Activities | undefined;
  let record: RecordException | undefined;

  return {
    processor: {
      onStart(span, parent) {
        guard(() => spanClock(span as never, parent));
        guard(() => {
          if (!activities) return;
          activities.processor.onStart(span);
          if (!isLocalRoot(span)) return;
          const agent = {
            'user_agent.original': navigator.userAgent,
            'user_agent.synthetic.type': syntheticType(),
          };
          span.setAttributes(known(agent));
        });
      },
      onEnd: (span) => void guard(() => activities?.processor.onEnd(span)),
      forceFlush: async () => {},
      shutdown: async () => {},
    },
    contextManager: createContextManager(() => activities),
    begin(tracer) {
      const begun = createActivities({ tracer, clock, platform, discard: deps.discard });
      activities = begun;
      const routeName = createRouteName(options.routeNames);
      const onPage: PartDeps['onPage'] = (listener) =>
        onPageSignal(globalThis, (signal) => void guard(() => listener(signal)), true);
      const { propagateTo = [], ignoreUrls = [], onRequest, ignoreInteraction } = options;
      const part: PartDeps = {
        ...{ tracer, activities: begun, clock, guard, onPage, routeName },
        platform: {
          after: platform.after,
          isOwnRequest: (url) =>
            platform.isOwnRequest(url) || names(ignoreUrls, new URL(url), location.origin),
        },
      };
      const { headersFor } = createPropagation(propagateTo);
      const propagation: Propagation = {
        onRequest,
        headersFor: (url, from) => (deps.mayPropagate() ? headersFor(url, from) : {}),
      };
      const begin = (isOn: boolean | undefined, trace: () => Stop): void => {
        const stop = isOn === false ? undefined : guard(trace);
        if (stop) stops.push(stop);
      };
      begin(options.documentLoad, () => traceDocumentLoad(part));
      begin(options.routes, () => traceRoutes(part));
      begin(options.interactions, () => traceInteractions(part, globalThis, ignoreInteraction));
      begin(options.fetch, () => traceFetch(part, propagation));
      begin(options.xhr, () => traceXhr(part, propagation));
      begin(true, () => traceResources(part, options.resources !== false));
      deps.withLate((late) => {
        // It may have stopped meanwhile.
        if (activities !== begun) return;
        begin(options.longFrames, () => late.traceLongFrames(part));
        begin(options.webVitals, () => late.traceWebVitals(part));
        begin(options.frustration, () => late.traceFrustration(part));
      });
      begin(true, () => {
        const errors = traceErrors(part, options.errors !== false);
        record = errors.record;
        return errors.stop;
      });
      // After the parts, which may have last words.
      begin(true, () => onPage(begun.page));
    },
    recordException: (error) => void guard(() => record?.(error)),
    stop() {
      for (const stop of stops.splice(0)) guard(stop);
      if (activities) guard(activities.stop);
      activities = undefined;
    },
  };
}
