/** A client span for each `fetch` of the page. */
import type { Stop } from '../platform/platform.js';
import { callFetch, type Fetch } from '../sdk/fetch-call.js';
import { pageRequests } from './http.js';
import type { PartDeps } from './part.js';
import { patch } from './patch.js';
import type { Propagation } from './propagation.js';

export function traceFetch(deps: PartDeps, propagation: Propagation): Stop {
  const { guard } = deps;
  const call = { begin: pageRequests(deps, propagation), guard };
  return patch<Fetch>(globalThis, 'fetch', (original, self, args) => callFetch(call, original, self, args));
}
