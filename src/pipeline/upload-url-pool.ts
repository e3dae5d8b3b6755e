/**
 * Presigned uploads, fetched ahead. Stage 5 of 8.
 *
 * Lifetimes are counted from the moment the request for them began, on the wall clock and the monotonic clock,
 * whichever has moved more: timers stop in sleep and wall clocks jump, and the client's date is never compared
 * with the server's.
 */
import type { Instant, PooledUpload, PresignedUpload, SendMode } from './model.js';

export interface UploadUrlPoolOptions {
  /** Uploads to hold when full. */
  size: number;
  /** How many of them only a leaving page may take. */
  reserve: number;
}

export interface UploadUrlPool {
  /** Adds fresh uploads, asked for at `askedAt`. More than `size` that were there before are too many. */
  add(uploads: readonly PresignedUpload[], askedAt: Instant): void;
  /** Takes back an upload that was not used: it is the next to go to what it fits, whatever the padding. */
  putBack(upload: PooledUpload): void;
  /**
   * Takes the upload that a body of `length` bytes needs least padding for, and of these the one that expires soonest,
   * without waiting. Handed out once, and only while enough of its lifetime is left for a slow request. `normal`
   * leaves the reserve alone.
   *
   * @param maxPadding bytes of padding that are worth it.
   * @returns undefined when none is ready.
   */
  take(mode: SendMode, length: number, maxPadding: number): PooledUpload | undefined;
  /** Whether {@link take} would succeed. */
  ready(mode: SendMode, length: number, maxPadding: number): boolean;
  /** How many to ask the endpoint for: 0 above the low-water mark (reserve + 1), else enough to be full. */
  readonly wanted: number;
  readonly size: number;
  /** The lengths that they are signed for. */
  readonly lengths: (number | undefined)[];
}

export interface PoolDeps {
  now(): number;
  monotonic(): number;
  /** An upload expired before it was used. */
  expired(): void;
  /** How many bytes of padding bring a body to what an upload takes; `NaN` when none do. */
  paddingOf(upload: PresignedUpload, length: number): number;
}

/** A PUT of 60 KiB on a 3G line takes a few seconds, with connection and preflight. */
const MIN_REMAINING_MILLIS = 10_000;

/** Milliseconds since `instant`, by the clock that has moved more. */
export function elapsedMillis(clock: Pick<PoolDeps, 'now' | 'monotonic'>, instant: Instant): number {
  return Math.max(clock.now() - instant.wall, clock.monotonic() - instant.monotonic);
}

/** Milliseconds of lifetime left; negative when expired. */
export function remainingMillis(clock: Pick<PoolDeps, 'now' | 'monotonic'>, upload: PooledUpload): number {
  return upload.expiresInMs - elapsedMillis(clock, upload.askedAt);
}

/** Whether a request begun now can be expected to end before the URL does. */
export function isUsable(clock: Pick<PoolDeps, 'now' | 'monotonic'>, upload: PooledUpload): boolean {
  // A server may issue URLs that live shorter than our margin; half of such a life must do.
  return remainingMillis(clock, upload) > Math.min(MIN_REMAINING_MILLIS, upload.expiresInMs / 2);
}

export function createUploadUrlPool(deps: PoolDeps, options: UploadUrlPoolOptions): UploadUrlPool {
  let uploads: PooledUpload[] = [];
  let returned: PooledUpload | undefined;

  const sweep = (): void => {
    uploads = uploads.filter((upload) => isUsable(deps, upload) || deps.expired());
  };
  const best: UploadUrlPool['take'] = (mode, length, maxPadding) => {
    sweep();
    if (uploads.length <= (mode === 'leaving' ? 0 : options.reserve)) return undefined;
    const padding = (upload: PooledUpload): number => deps.paddingOf(upload, length);
    // A record may still say of its key that spans of this blob are under it. There they are then found, not sent again.
    if (returned && uploads.includes(returned) && padding(returned) >= 0) return returned;
    return uploads
      .filter((upload) => padding(upload) <= maxPadding)
      .sort((a, b) => padding(a) - padding(b))[0];
  };

  return {
    add(fresh, askedAt) {
      // What nothing fits makes room.
      uploads = uploads.slice(-options.size);
      uploads.push(...fresh.map((upload) => ({ ...upload, askedAt })));
      uploads.sort((a, b) => remainingMillis(deps, a) - remainingMillis(deps, b));
    },
    putBack(upload) {
      returned = upload;
      uploads.unshift(upload);
    },
    take(...what) {
      const taken = best(...what);
      uploads = uploads.filter((upload) => upload !== taken);
      return taken;
    },
    ready: (...what) => best(...what) !== undefined,
    get wanted() {
      sweep();
      // One upload above the reserve is left to use while the refill is under way.
      return uploads.length > options.reserve + 1 ? 0 : options.size - uploads.length;
    },
    get size() {
      sweep();
      return uploads.length;
    },
    get lengths() {
      return uploads.map(({ bytes }) => bytes);
    },
  };
}
