import { ofDocument } from '../platform/dom.js';
import { listen } from '../platform/listen.js';
import type { Platform, Stop } from '../platform/platform.js';

/** A page with an image that never comes never says that it has loaded. */
const MAX_LOAD_MILLIS = 10_000;
/** A page that is never idle has waited long enough by then. */
const MAX_BUSY_MILLIS = 2_000;

/** Runs `task` once, when the page is idle after its load; soon, where there is no page. */
export function whenLoaded(platform: Pick<Platform, 'after' | 'whenIdle'>, task: () => void): Stop {
  let stops: Stop[] = [];
  const stop = (): void => {
    for (const one of stops) one();
  };
  const loaded = (): void => {
    stop();
    stops = [platform.whenIdle(MAX_BUSY_MILLIS, task)];
  };
  if (!globalThis.document || ofDocument('readyState') === 'complete') loaded();
  else stops = [listen(globalThis, 'load', loaded), platform.after(MAX_LOAD_MILLIS, loaded)];
  return stop;
}
