/** Spans of the page's requests: whose children they are, by which clock, and what is said of their addresses. */
import { ofDocument } from '../platform/dom.js';
import { untraced } from '../platform/untraced.js';
import { type BeginRequest, requestTracing } from '../sdk/http-request.js';
import { storedUrl } from './attributes.js';
import type { PartDeps } from './part.js';
import type { Propagation } from './propagation.js';

export function pageRequests(deps: PartDeps, { headersFor, onRequest }: Propagation): BeginRequest {
  const { tracer, activities, clock, platform, guard } = deps;
  return requestTracing({
    tracer,
    resolve(address) {
      try {
        const url = new URL(address, ofDocument('baseURI'));
        return platform.isOwnRequest(url.href) ? undefined : url;
      } catch {
        // The page's mistake, which it is told by the function that it called.
        return undefined;
      }
    },
    stored: ({ href }) => storedUrl(href),
    parent: () => activities.parent(),
    headersFor,
    over: onRequest && ((...what) => void guard(() => untraced(() => onRequest(...what)))),
    now: () => clock.wall(clock.now()),
  });
}
