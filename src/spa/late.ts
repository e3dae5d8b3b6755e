/** The second file: what a page needs only once it has loaded. Asked for when it is idle then, or when somebody flushes. */

import type { Delivery } from '../pipeline/deliver.js';
import type { DeliveryHost } from '../pipeline/pipeline.js';
import type { Platform, Stop } from '../platform/platform.js';
import type { PageContext } from './page-context.js';
import type { LateParts } from './page-tracing.js';
import type { Session, SessionHost } from './session.js';
import { whenLoaded } from './when-loaded.js';

/** What the second file holds. */
export interface LateFile extends LateParts {
  openDelivery(host: DeliveryHost): Delivery;
  keepContext(host: SessionHost, session: Session, context: PageContext): void;
}

/** Where it comes from. */
export interface LateSource {
  /** Its address, where that is known. */
  readonly url?: string | undefined;
  /** Asks for it. Rejects when it does not come, or is another one. */
  load(): Promise<LateFile>;
}

export interface Late {
  /** Rejects when the file has not come at the second attempt either. Pending while nobody wants it. */
  readonly file: Promise<LateFile>;
  /** Asks for it when the page has loaded; `isUrgent`: now. */
  want(isUrgent: boolean): void;
  stop: Stop;
}

/** Nobody waits for longer than this on account of a network that drops one request. */
const RETRY_MILLIS = 3_000;

export function createLate(platform: Pick<Platform, 'after' | 'whenIdle'>, source: LateSource): Late {
  let isWanted = false;
  let isAsked = false;
  let stop: Stop = () => {};
  let settle: (file: Promise<LateFile>) => void;
  const file = new Promise<LateFile>((resolve) => {
    settle = resolve;
  });
  // Each of those who wait hears of it.
  file.catch(() => {});

  const again = (): Promise<LateFile> =>
    new Promise((resolve) => {
      stop = platform.after(RETRY_MILLIS, () => resolve(source.load()));
    });
  const ask = (): void => {
    stop();
    if (isAsked) return;
    isAsked = true;
    settle(source.load().catch(again));
  };

  return {
    file,
    want(isUrgent) {
      if (isUrgent) ask();
      else if (!isWanted) stop = whenLoaded(platform, ask);
      isWanted = true;
    },
    stop: () => stop(),
  };
}
