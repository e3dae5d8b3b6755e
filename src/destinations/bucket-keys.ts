/** Which key each blob has for life, which URL is live for it, and what is known of what went there. */
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { Claim, Instant, Outcome, PooledUpload, SendMode, TraceBlob } from '../pipeline/model.js';
import { paddingOf, takes } from '../pipeline/upload-length.js';
import {
  FIRST_LENGTHS,
  MAX_SPARE_PADDING,
  REMEMBERED_LENGTHS,
  spareLengths,
} from '../pipeline/upload-sizes.js';
import { createUploadUrlPool, isUsable } from '../pipeline/upload-url-pool.js';
import type { Platform } from '../platform/platform.js';
import type { PresignedUpload } from '../protocol.js';

export interface BucketKeysDeps {
  platform: Platform;
  totals: Diagnostics['totals'];
  /** The pool has shrunk. */
  taken(): void;
}

export interface BucketKeys {
  /** The lengths to ask fresh uploads for: those of blobs that lack one, then those of spares. */
  readonly wanted: number[];
  /** How many are ready. */
  readonly size: number;
  /** Takes uploads that were asked for with these lengths. */
  fresh(uploads: PresignedUpload[], askedAt: Instant, wanted: readonly number[]): void;
  renewed(claim: Claim, upload: PooledUpload | undefined): void;
  confirmed(claim: Claim, stored: boolean): void;
  /** What the endpoint said of a claim whose request had no answer; undefined while it has not been asked. */
  fateOf(claim: Claim): boolean | undefined;
  /** Whether the endpoint does not know a claim (any more). */
  isUnknown(claim: Claim): boolean;
  /** Whether a claim came with the HTML: a cache may have given it to other pages too. */
  isShared(claim: Claim): boolean;
  /** The live URL of a claim. */
  urlOf(claim: Claim): PooledUpload | undefined;
  /** The live URL of a blob's own key. A key that is unknown and unused is taken from the blob. */
  heldBy(blob: TraceBlob): PooledUpload | undefined;
  /** Whether there is a fresh one for the blob. If not, its length will be asked for. */
  ready(blob: TraceBlob): boolean;
  /** Whether the endpoint has been asked for the blob's length, and gives no upload that takes it. */
  isMisfit(blob: TraceBlob): boolean;
  /**
   * A fresh key for so many bytes, if there is one to spare: `held`, while that takes them, else one that takes some
   * more, as more may come.
   */
  reserve(length: number, held?: Claim): Claim | undefined;
  /** Nothing was sent under it. */
  unreserve(claim: Claim): void;
  /** A live URL of the blob's own key, or of a fresh one if it has none yet. */
  take(blob: TraceBlob, mode: SendMode): PooledUpload | undefined;
  /** The store does not accept the claim's URL (any more). */
  refused(blob: TraceBlob, claim: Claim): Outcome;
}

/** A renewed URL that is refused as well means a wrong secret, clock or policy: hurry is no use. */
const REFUSED_MILLIS = 60_000;
/** So often is one blob refused, and so many others stored meanwhile, before it is given up. */
const POISON_TIMES = 5;
/** So often is a length asked for in vain: another request may have been in the way once. */
const MAX_MISFITS = 2;
/** The root of a trace, which ends last. */
const HEADROOM_BYTES = 512;
/** However much padding it takes. */
const ANY = Number.POSITIVE_INFINITY;

/** @param inlined uploads that came with the HTML. */
export function createBucketKeys(
  { platform, totals, taken }: BucketKeysDeps,
  options: { poolSize: number; poolReserve: number; inlined: PresignedUpload[] },
): BucketKeys {
  // All weak, as blobs may be evicted.
  const urls = new WeakMap<Claim, PooledUpload>();
  const unknown = new WeakSet<Claim>();
  const fates = new WeakMap<Claim, boolean>();
  /** Whose URL was renewed and has not worked yet. */
  const renewedOnce = new WeakSet<Claim>();
  /** Blobs that were refused after renewal: how often, and how many others had been stored by then. */
  const refusals = new WeakMap<TraceBlob, { times: number; storedBefore: number }>();
  /** Blobs for which no fresh upload is near. */
  const lacking = new Set<TraceBlob>();
  /** Blobs that have waited for an upload; counted once. */
  const waited = new WeakSet<TraceBlob>();
  let recentLengths = FIRST_LENGTHS;
  const shared = new Set(options.inlined.map(({ token }) => token));
  const pool = createUploadUrlPool(
    {
      now: platform.now,
      monotonic: platform.monotonic,
      expired: () => void totals.pool.expired++,
      paddingOf,
    },
    { size: options.poolSize, reserve: options.poolReserve },
  );
  pool.add(options.inlined, { wall: platform.now(), monotonic: platform.monotonic() });

  const isMisfit = ({ misfits = 0, claim, bytes }: TraceBlob): boolean =>
    misfits >= MAX_MISFITS && (claim !== undefined || !pool.ready('leaving', bytes.length, ANY));
  // Once its length has been asked for there is nothing better to come.
  const worthOf = ({ misfits }: TraceBlob, mode: SendMode): number =>
    mode === 'leaving' || misfits !== undefined ? ANY : MAX_SPARE_PADDING;
  const isReady = (blob: TraceBlob): boolean =>
    pool.ready('normal', blob.bytes.length, worthOf(blob, 'normal'));
  const claimOf = (mode: SendMode, length: number, maxPadding: number): Claim | undefined => {
    const upload = pool.take(mode, length, maxPadding);
    if (!upload) return undefined;
    const claim = { key: upload.key, token: upload.token, tries: 0 };
    urls.set(claim, upload);
    if (mode === 'normal') taken();
    return claim;
  };
  const answered = (blob: TraceBlob, uploads: readonly PresignedUpload[]): void => {
    blob.misfits ??= 0;
    if (!uploads.some((upload) => takes(upload, blob.bytes.length))) blob.misfits++;
  };

  const self: BucketKeys = {
    get wanted() {
      const lengths = [...lacking].map(({ bytes }) => bytes.length);
      // Where blobs find none near, one spare at a time gives way to one that is.
      const count = pool.wanted || Math.min(lengths.length, 1);
      return [...lengths, ...spareLengths(recentLengths, pool.lengths, count)];
    },
    get size() {
      return pool.size;
    },
    fresh(uploads, askedAt, wanted) {
      pool.add(uploads, askedAt);
      const lengths = wanted.slice(0, uploads.length);
      for (const blob of lacking) {
        if (lengths.includes(blob.bytes.length)) answered(blob, uploads);
        if (isReady(blob) || isMisfit(blob)) lacking.delete(blob);
      }
    },
    renewed: (claim, upload) => void (upload ? urls.set(claim, upload) : unknown.add(claim)),
    confirmed: (claim, stored) => void fates.set(claim, stored),
    fateOf: (claim) => fates.get(claim),
    isUnknown: (claim) => unknown.has(claim),
    isShared: ({ token }) => shared.has(token),
    urlOf(claim) {
      const upload = urls.get(claim);
      return upload && isUsable(platform, upload) ? upload : undefined;
    },
    heldBy(blob) {
      const { claim } = blob;
      if (!claim) return undefined;
      const upload = self.urlOf(claim);
      if (upload) {
        if (takes(upload, blob.bytes.length)) return upload;
        urls.delete(claim);
        answered(blob, []);
      } else if (unknown.has(claim) && !claim.tries) delete blob.claim;
      return undefined;
    },
    ready(blob) {
      const isThere = isReady(blob);
      if (!isThere && !waited.has(blob)) {
        waited.add(blob);
        totals.pool.empty++;
      }
      if (!isThere && lacking.size < options.poolSize) lacking.add(blob);
      return isThere;
    },
    isMisfit,
    reserve(length, held) {
      const upload = held && self.urlOf(held);
      if (upload && takes(upload, length)) return held;
      // The one that is held comes back.
      const mode = held ? 'leaving' : 'normal';
      return claimOf(mode, Math.ceil(1.25 * length) + HEADROOM_BYTES, ANY) ?? claimOf(mode, length, ANY);
    },
    unreserve(claim) {
      const upload = urls.get(claim);
      if (upload) pool.putBack(upload);
    },
    take(blob, mode) {
      const held = self.heldBy(blob);
      if (held || blob.claim) return held;
      const { length } = blob.bytes;
      const claim = claimOf(mode, length, worthOf(blob, mode));
      if (!claim) {
        if (!waited.has(blob)) totals.pool.empty++;
        return undefined;
      }
      blob.claim = claim;
      lacking.delete(blob);
      recentLengths = [...recentLengths, length].slice(-REMEMBERED_LENGTHS);
      return urls.get(claim);
    },
    refused(blob, claim) {
      claim.tries--;
      urls.delete(claim);
      if (!renewedOnce.delete(claim)) {
        renewedOnce.add(claim);
        return { status: 'unready' };
      }
      const cause = 'refused twice';
      const refusal = refusals.get(blob) ?? { times: 0, storedBefore: totals.blobs.stored };
      refusals.set(blob, refusal);
      // The store takes others: it is this one that it does not want.
      const isPoison =
        ++refusal.times >= POISON_TIMES && totals.blobs.stored >= refusal.storedBefore + POISON_TIMES;
      return isPoison
        ? { status: 'rejected', reason: 'rejected', cause }
        : { status: 'retryable', delayMillis: REFUSED_MILLIS, cause };
    },
  };
  return self;
}
