/** Functions of the user's in place of the endpoint: they may throw, reject, hang and answer what they like. */

import type { DestinationDeps } from '../destinations/destination.js';
import type { Platform } from '../platform/platform.js';
import type { Receipt, Want } from './endpoint.js';
import { type Exchange, type IssuedUpload, usable } from './exchange.js';

/** What functions of the user's are handed as their last argument. */
export interface Tools {
  /** The platform's `fetch`, for requests that are to make no spans. The page's own `fetch` is traced. */
  readonly fetch: Platform['fetch'];
}

/** A user's own functions in place of the endpoint. What they begin at once makes no spans. */
export interface BucketFunctions {
  /**
   * Issues presigned uploads: for each of `wants`, by its `id` and length in bytes, and `spares` that name no `id` but a
   * `key`, for whichever blob comes next. An upload that names the `id` of a want is for that one, and must write the
   * same object each time. A want with a `key` was sent under that one before, and goes under no other. Whoever signs a
   * length says so in the upload's `bytes`, or `maxBytes`. May reject; it is asked again, later and later, as it is when
   * it takes longer than 30 s.
   */
  requestUploads(
    request: { wants: Want[]; spares: number },
    tools: Tools,
  ): Promise<(Omit<IssuedUpload, 'id'> & { id?: string })[]>;
  /**
   * Hears of stored objects. May reject; the receipts then come again, later. Nothing waits for it, and it is called once
   * at a time.
   */
  notify?(receipts: Receipt[], tools: Tools): Promise<void>;
}

/** So long may a function of the user's take, as a request of ours may. */
const FUNCTION_MILLIS = 30_000;

/** @param spares how many uploads beside those that are wanted are asked for each time. */
export function exchangeByFunctions(
  functions: BucketFunctions,
  { platform, diagnostics }: Pick<DestinationDeps, 'platform' | 'diagnostics'>,
  spares: number,
): Exchange {
  const { requests } = diagnostics.totals;
  const tools: Tools = { fetch: platform.fetch };
  const call = <T>(task: () => Promise<T> | T): Promise<T> =>
    new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`no answer in ${FUNCTION_MILLIS} ms`));
      const stop = platform.after(FUNCTION_MILLIS, late);
      new Promise<T>((done) => done(diagnostics.theirs(task))).finally(stop).then(resolve, reject);
    });

  const tell = async (stored: Receipt[]): Promise<boolean> => {
    requests.notifies++;
    try {
      await call(() => functions.notify?.(stored, tools));
      return true;
    } catch (error) {
      requests.notifyFailures++;
      diagnostics.trouble('notify', String(error));
      return false;
    }
  };

  return async ({ wants, stored }) => {
    const heard = stored.length && functions.notify ? tell(stored) : undefined;
    try {
      const uploads = wants.length
        ? usable(await call(() => functions.requestUploads({ wants, spares }, tools)))
        : [];
      return { ok: true, uploads, isPaused: false, isRelayOnly: false, heard };
    } catch (error) {
      return { ok: false, cause: String(error), heard };
    }
  };
}
