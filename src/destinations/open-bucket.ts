/** Object storage by presigned uploads: stages 5 to 7, and the conversation with the endpoint. */
import type { CheckedBucketOptions } from '../options.js';
import type { Outcome, SendMode, TraceBlob } from '../pipeline/model.js';
import { createNotifier } from '../pipeline/notify.js';
import { formOf, keepaliveBytes, type UploadResult, uploadBlob } from '../pipeline/upload.js';
import { createUploadUrlPool, isUsable, type PooledUpload } from '../pipeline/upload-url-pool.js';
import type { StoredReceipt } from '../protocol.js';
import { createConversation } from './conversation.js';
import type { DestinationDeps, OpenDestination } from './destination.js';
import { type Endpoint, isPresignedUpload } from './endpoint.js';
import { relayBlob } from './relay.js';

/** Opaque failures of fresh URLs before the bucket's host counts as blocked. */
const BLOCKED_AFTER = 2;
/** How long a blocked host is avoided before it is tried again. */
const BLOCKED_MILLIS = 5 * 60_000;
/** A renewed URL that is refused as well means a wrong secret, clock or policy: hurry is no use. */
const REFUSED_MILLIS = 60_000;
/** A beacon has no answer; the endpoint is asked about its object after this long. */
const CONFIRM_MILLIS = 5_000;

/** Opens the destination on an endpoint, or on what stands for one. */
export function openBucket(
  deps: DestinationDeps,
  tuning: CheckedBucketOptions,
  endpoint: Endpoint,
): OpenDestination {
  const { platform, diagnostics } = deps;
  const { totals } = diagnostics;
  const pool = createUploadUrlPool(
    { ...platform, expired: () => void totals.pool.expired++ },
    { size: tuning.poolSize, reserve: tuning.poolReserve },
  );
  const notifier = createNotifier(platform.monotonic);
  const talk = createConversation({ ...deps, endpoint, pool, notifier });
  pool.add(tuning.uploads.filter(isPresignedUpload), {
    wall: platform.now(),
    monotonic: platform.monotonic(),
  });
  diagnostics.gauge((stats) => {
    stats.pool.ready = pool.size;
  });

  /** URLs in use, by token; a blob keeps its token for life and its URL until that expires. */
  const inUse = new Map<string, PooledUpload>();
  /** Tokens whose URL was renewed since the last answer that was not 403. */
  const renewedOnce = new Set<string>();
  /** Sends that outlive the page, by blob. */
  const surviving = new Map<string, Promise<Outcome>>();
  /** Receipts of uploads begun as the page leaves. */
  let lastReceipts: StoredReceipt[] = [];
  let networkFailures = 0;
  let blockedUntilMillis = 0;

  const relays = (): boolean =>
    endpoint.relayUrl !== undefined &&
    (tuning.relay === 'always' || (tuning.relay === 'auto' && platform.monotonic() < blockedUntilMillis));

  /** The live URL of the blob's key, if there is one. */
  const heldBy = (blob: TraceBlob): PooledUpload | undefined => {
    if (!blob.claim) return undefined;
    const { token } = blob.claim;
    const renewed = talk.renewed(token);
    if (renewed) inUse.set(token, renewed);
    const upload = inUse.get(token);
    if (upload && isUsable(platform, upload)) return upload;
    inUse.delete(token);
    // The endpoint does not know the key any more (its secret changed): the blob needs another.
    if (renewed === null) delete blob.claim;
    return undefined;
  };

  /** An upload for the blob: of its own key, or of a fresh one if it has none. */
  const uploadFor = (blob: TraceBlob, mode: SendMode): PooledUpload | undefined => {
    const held = heldBy(blob);
    if (held || blob.claim) return held;
    const upload = pool.take(mode);
    if (!upload) {
      totals.pool.empty++;
      return undefined;
    }
    blob.claim = { key: upload.key, token: upload.token, tries: 0 };
    inUse.set(upload.token, upload);
    deps.claimed(blob);
    if (mode === 'normal') talk.refill();
    return upload;
  };

  const receiptOf = (blob: TraceBlob): StoredReceipt | undefined =>
    blob.claim && {
      key: blob.claim.key,
      token: blob.claim.token,
      spanCount: blob.spanCount,
      bytes: blob.bytes.length,
      traces: [...blob.traces],
    };

  const forget = (blob: TraceBlob): void => {
    if (blob.claim) inUse.delete(blob.claim.token);
    if (blob.claim) renewedOnce.delete(blob.claim.token);
  };

  const stored = (blob: TraceBlob): Outcome => {
    const receipt = receiptOf(blob);
    if (receipt) notifier.add(receipt);
    forget(blob);
    talk.refill();
    return { status: 'stored' };
  };

  /** Turns what the store said into what becomes of the blob. */
  const judge = (blob: TraceBlob, result: UploadResult): Outcome => {
    networkFailures = result.status === 'retryable' && result.network ? networkFailures + 1 : 0;
    if (result.status === 'stored' || (result.status === 'exists' && (blob.claim?.tries ?? 0) > 1))
      return stored(blob);
    totals.requests.uploadFailures++;
    if (networkFailures >= BLOCKED_AFTER && tuning.relay === 'auto' && endpoint.relayUrl) {
      networkFailures = 0;
      blockedUntilMillis = platform.monotonic() + BLOCKED_MILLIS;
      diagnostics.trouble('bucket-blocked', 'the bucket cannot be reached from this page; using the relay');
    }
    const token = blob.claim?.token ?? '';
    switch (result.status) {
      case 'exists':
        // Somebody else's object: this key was handed out twice. Ours needs another.
        diagnostics.trouble('key-taken', 'an upload URL was issued twice; is the endpoint cached?');
        forget(blob);
        delete blob.claim;
        return { status: 'unready' };
      case 'expired':
        inUse.delete(token);
        talk.renew(token);
        if (renewedOnce.has(token)) {
          renewedOnce.delete(token);
          return {
            status: 'retryable',
            retryAfterMillis: REFUSED_MILLIS,
            cause: 'refused twice',
          };
        }
        renewedOnce.add(token);
        return { status: 'unready' };
      case 'rejected':
        forget(blob);
        return { status: 'rejected', reason: 'rejected', cause: result.cause };
      default:
        return result;
    }
  };

  const upload = async (blob: TraceBlob, target: PooledUpload, keepalive: boolean): Promise<Outcome> => {
    if (blob.claim) blob.claim.tries++;
    deps.claimed(blob);
    totals.requests.uploads++;
    return judge(blob, await uploadBlob(platform, target, blob, keepalive));
  };

  const relay = async (blob: TraceBlob, url: string, keepalive: boolean): Promise<Outcome> => {
    totals.requests.relays++;
    const { outcome, claim } = await relayBlob(platform, url, blob, keepalive);
    if (claim) blob.claim = { ...claim, tries: 1 };
    if (outcome.status === 'stored') return stored(blob);
    totals.requests.uploadFailures++;
    return outcome;
  };

  const beacon = (blob: TraceBlob, target: PooledUpload | undefined, relayUrl: string): Outcome => {
    const taken = target
      ? platform.beacon(target.url, formOf(target, blob))
      : platform.beacon(relayUrl, blob.bytes);
    if (!taken) return { status: 'unready' };
    totals.requests.beacons++;
    if (blob.claim) blob.claim.tries++;
    return { status: 'unconfirmed', askInMillis: CONFIRM_MILLIS };
  };

  /** A blob that a beacon relayed without a key has one that only the endpoint knows. */
  const mustRelay = (blob: TraceBlob): boolean => relays() || (blob.unconfirmed === true && !blob.claim);

  return {
    warmUp: talk.refill,
    ready(blob) {
      const token = blob.claim?.token;
      if (blob.unconfirmed && token !== undefined && talk.confirmed(token) === undefined)
        return talk.confirm(token);
      if (mustRelay(blob) || heldBy(blob)) return true;
      return blob.claim ? talk.renew(blob.claim.token) : pool.ready('normal') || talk.refill();
    },
    async send(blob, mode) {
      // What already outlives the page need not be sent again because the page leaves.
      const known = surviving.get(blob.id);
      if (known) return known;
      const leaving = mode === 'leaving';
      if (blob.unconfirmed && blob.claim && talk.confirmed(blob.claim.token)) return stored(blob);

      const target = mustRelay(blob) ? undefined : uploadFor(blob, mode);
      const mayRelay = mustRelay(blob) || (leaving && tuning.relay !== 'never');
      const relayUrl = target || !mayRelay ? undefined : endpoint.relayUrl?.(blob.claim?.token, blob.id);
      if (!target && relayUrl === undefined) return { status: 'unready' };

      const release = platform.keepalive.reserve(target ? keepaliveBytes(target, blob) : blob.bytes.length);
      if (leaving && !release) return { status: 'unready' };
      const receipt = leaving && receiptOf(blob);
      if (receipt) lastReceipts.push({ ...receipt, unconfirmed: true });

      const sending =
        target && !(leaving && target.method === 'POST')
          ? upload(blob, target, release !== undefined)
          : leaving
            ? Promise.resolve(beacon(blob, target, relayUrl ?? ''))
            : relay(blob, relayUrl ?? '', release !== undefined);
      if (release) surviving.set(blob.id, sending);
      const outcome = await sending;
      surviving.delete(blob.id);
      // Nobody hears when a beacon's bytes have left.
      if (outcome.status === 'unconfirmed' && release) platform.after(CONFIRM_MILLIS, release);
      else release?.();
      return outcome;
    },
    leave() {
      talk.tell(lastReceipts);
      lastReceipts = [];
    },
    settle: talk.settle,
    close: talk.close,
  };
}
