/** Object storage by presigned uploads: stages 5 to 7 joined. */
import type { CheckedBucketOptions } from '../options.js';
import type { Claim, Outcome, PooledUpload, SendMode, TraceBlob } from '../pipeline/model.js';
import { createNotifier, type Endpoint } from '../pipeline/notify.js';
import { nextDelayMillis } from '../pipeline/retry.js';
import { formOf, resultOf, type UploadResult, uploadRequest } from '../pipeline/upload.js';
import { createUploadUrlPool, isUsable } from '../pipeline/upload-url-pool.js';
import type { Stop } from '../platform/platform.js';
import type { RelayResponse, StoredReceipt } from '../protocol.js';
import type { DestinationDeps, OpenDestination } from './destination.js';
import { parse, usable } from './endpoint.js';

/** Opaque failures in a row before the bucket's host counts as blocked. */
const BLOCKED_AFTER = 2;
/** How long a blocked host is avoided before it is tried again. */
const BLOCKED_MILLIS = 5 * 60_000;
/** A renewed URL that is refused as well means a wrong secret, clock or policy: hurry is no use. */
const REFUSED_MILLIS = 60_000;
/** So often is one blob refused, and so many others stored meanwhile, before it is given up. */
const POISON_TIMES = 5;
/** A beacon has no answer; its blob is sent again under its key if the page lives on for this long. */
const BEACON_MILLIS = 5_000;
/** Summaries in a receipt are hints; the object holds the rest. */
const MAX_TRACES = 80;
/** Boundaries, part headers and fields of an S3 POST form. */
const FORM_BYTES = 2_048;

/** Opens the destination on an endpoint, or on what stands for one. */
export function openBucket(
  deps: DestinationDeps,
  { poolSize, poolReserve, uploads, relay }: CheckedBucketOptions,
  endpoint: Endpoint,
): OpenDestination {
  const { platform, diagnostics } = deps;
  const { totals } = diagnostics;
  /** URLs in use: a blob keeps its key for life and its URL until that expires. Weak, as blobs may be evicted. */
  const inUse = new WeakMap<Claim, PooledUpload>();
  /** Claims whose URL was renewed and has not worked yet. */
  const renewedOnce = new WeakSet<Claim>();
  /** Claims that the endpoint does not know (any more). */
  const unknown = new WeakSet<Claim>();
  /** What the endpoint said of claims whose requests had no answer. */
  const fates = new WeakMap<Claim, boolean>();
  /** Blobs that were refused after renewal, how often, and how many others had been stored by then. */
  const refusals = new WeakMap<TraceBlob, { times: number; storedBefore: number }>();
  /** Claims whose receipt was given before the store's answer. */
  const announced = new WeakSet<Claim>();
  /** Tokens that came with the HTML: a cache may have given them to other pages too. */
  const inlined = new Set(usable(uploads).map(({ token }) => token));
  /** Blobs that are being sent by requests that outlive the page. */
  const surviving = new Set<TraceBlob>();
  /** Receipts of uploads begun as the page leaves. */
  let lastReceipts: StoredReceipt[] = [];
  let spansAreComing = false;
  let opaqueFailures = 0;
  let blockedUntilMillis = 0;

  const pool = createUploadUrlPool(
    { now: platform.now, monotonic: platform.monotonic, expired: () => void totals.pool.expired++ },
    { size: poolSize, reserve: poolReserve },
  );
  pool.add(usable(uploads), { wall: platform.now(), monotonic: platform.monotonic() });
  const notifier = createNotifier({
    ...deps,
    endpoint,
    nextDelayMillis,
    wanted: () => (spansAreComing && totals.state === 'running' ? pool.wanted : 0),
    fresh: pool.add,
    confirmed: (claim, stored) => void fates.set(claim, stored),
    ledger() {
      const { spans } = diagnostics.stats();
      const dropped = Object.values(spans.dropped).reduce((sum, count) => sum + count, 0);
      return { ...spans, dropped, id: deps.page, sealed: totals.blobs.sealed };
    },
    renewed: (claim, upload) => void (upload ? inUse.set(claim, upload) : unknown.add(claim)),
  });
  diagnostics.gauge((stats) => {
    stats.pool.ready = pool.size;
  });

  const mustRelay = (blob: TraceBlob): boolean =>
    endpoint.relayUrl !== undefined &&
    (relay === 'always' ||
      (relay === 'auto' && platform.monotonic() < blockedUntilMillis) ||
      (blob.relayed === true && !blob.claim));

  /** The live URL of the blob's key. */
  const heldBy = (blob: TraceBlob): PooledUpload | undefined => {
    if (!blob.claim) return undefined;
    const upload = inUse.get(blob.claim);
    if (upload && isUsable(platform, upload)) return upload;
    if (unknown.has(blob.claim) && !blob.claim.tries) delete blob.claim;
    return undefined;
  };

  const reserve = (mode: SendMode): Claim | undefined => {
    const upload = pool.take(mode);
    if (!upload) return undefined;
    const claim = { key: upload.key, token: upload.token, tries: 0 };
    inUse.set(claim, upload);
    if (mode === 'normal') notifier.talk();
    return claim;
  };

  /** A live URL of the blob's own key, or of a fresh one if it has none yet. */
  const uploadFor = (blob: TraceBlob, mode: SendMode): PooledUpload | undefined => {
    const held = heldBy(blob);
    if (held || blob.claim) return held;
    const claim = reserve(mode);
    if (claim) blob.claim = claim;
    else totals.pool.empty++;
    return claim && inUse.get(claim);
  };

  const receiptOf = ({ claim, spanCount, bytes, traces, page, seq }: TraceBlob): StoredReceipt | undefined =>
    claim && {
      key: claim.key,
      token: claim.token,
      page,
      seq,
      spanCount,
      bytes: bytes.length,
      traces: traces.slice(0, MAX_TRACES),
    };

  const stored = (blob: TraceBlob): Outcome => {
    const receipt = receiptOf(blob);
    if (receipt) notifier.stored(receipt);
    return { status: 'stored' };
  };

  /** Turns what the store said into what becomes of the blob. */
  const judge = (blob: TraceBlob, claim: Claim, result: UploadResult): Outcome => {
    if (result.status === 'stored') return stored(blob);
    // Browsers send a PUT again by themselves when a connection breaks, so that even the first answer that we see
    // may speak of our own bytes. See RFC 9110, section 9.2.2.
    if (result.status === 'exists' && (claim.tries > 1 || !inlined.has(claim.token))) return stored(blob);
    totals.requests.uploadFailures++;
    if (result.status === 'exists') {
      diagnostics.trouble('key-taken', 'an inlined upload URL was given out twice; is the page cached?');
      delete blob.claim;
      return { status: 'retryable', cause: 'key taken' };
    }
    if (result.status === 'expired') {
      claim.tries--;
      inUse.delete(claim);
      if (renewedOnce.delete(claim)) {
        const cause = 'refused twice';
        const refusal = refusals.get(blob) ?? { times: 0, storedBefore: totals.blobs.stored };
        refusals.set(blob, refusal);
        // The store takes others: it is this one that it does not want.
        if (++refusal.times >= POISON_TIMES && totals.blobs.stored >= refusal.storedBefore + POISON_TIMES) {
          return { status: 'rejected', reason: 'rejected', cause };
        }
        return { status: 'retryable', delayMillis: REFUSED_MILLIS, cause };
      }
      renewedOnce.add(claim);
      return { status: 'unready' };
    }
    return result;
  };

  const upload = async (blob: TraceBlob, target: PooledUpload, keepalive: boolean): Promise<Outcome> => {
    const claim = blob.claim as Claim;
    totals.requests.uploads++;
    const answer = await platform.request(target.url, uploadRequest(target, blob, keepalive));
    opaqueFailures = answer.status ? 0 : opaqueFailures + 1;
    if (opaqueFailures >= BLOCKED_AFTER && endpoint.relayUrl && relay === 'auto') {
      opaqueFailures = 0;
      blockedUntilMillis = platform.monotonic() + BLOCKED_MILLIS;
      diagnostics.trouble('bucket-blocked', 'the bucket cannot be reached from this page; using the relay');
    }
    return judge(blob, claim, resultOf(answer));
  };

  /** Posts the bytes to the endpoint, which stores them once. Bytes without a content type need no preflight. */
  const relayTo = async (
    url: string,
    blob: TraceBlob,
    keepalive: boolean,
    wasRelayed: boolean,
  ): Promise<Outcome> => {
    totals.requests.relays++;
    const answer = await platform.request(url, {
      method: 'POST',
      body: blob.bytes,
      credentials: 'same-origin',
      keepalive,
    });
    const { key, token } = parse<RelayResponse>(answer.body) ?? {};
    if (answer.status === 200 && key && token) {
      blob.claim = { key, token, tries: 1 };
      return stored(blob);
    }
    totals.requests.uploadFailures++;
    // Nothing gets through: it is the network that is down, and not the bucket's host that is blocked.
    if (!answer.status) blockedUntilMillis = 0;
    // A refusal says that nothing was stored.
    if (answer.status >= 400 && answer.status < 500) blob.relayed = wasRelayed;
    const result = resultOf(answer);
    return result.status === 'rejected'
      ? result
      : { ...answer, status: 'retryable', cause: `relay: ${answer.status}` };
  };

  /** The last way out: no preflight and no answer. */
  const beacon = (url: string, body: BodyInit): Outcome => {
    if (!platform.beacon(url, body)) return { status: 'unready' };
    totals.requests.beacons++;
    return { status: 'unconfirmed', askInMillis: BEACON_MILLIS };
  };

  const warmUp = (): void => {
    spansAreComing = true;
    notifier.talk();
  };

  return {
    warmUp,
    ready(blob) {
      const { claim } = blob;
      if (blob.unconfirmed && claim && endpoint.confirms) {
        if (fates.has(claim)) return true;
        notifier.confirm(claim);
        return false;
      }
      if (mustRelay(blob) || heldBy(blob) || (!blob.claim && pool.ready('normal'))) return true;
      if (blob.claim && unknown.has(blob.claim)) return true;
      if (blob.claim) notifier.renew(blob.claim);
      else warmUp();
      return false;
    },
    async send(blob, mode) {
      const leaving = mode === 'leaving';
      // Nobody will see the answer, so the server is told at once.
      const announce = (): void => {
        const receipt = leaving && receiptOf(blob);
        if (!receipt || !blob.claim || announced.has(blob.claim)) return;
        announced.add(blob.claim);
        lastReceipts.push({ ...receipt, unconfirmed: true });
      };
      // What outlives the page need not be sent again because the page leaves.
      if (surviving.has(blob)) {
        announce();
        return { status: 'unready' };
      }
      if (blob.claim && fates.get(blob.claim)) return stored(blob);
      blob.unconfirmed = false;
      const target = mustRelay(blob) ? undefined : uploadFor(blob, mode);
      if (!target && blob.claim && unknown.has(blob.claim)) {
        return {
          status: 'rejected',
          reason: 'rejected',
          cause: 'the endpoint does not know the key any more',
        };
      }
      const mayRelay = !target && (leaving ? relay !== 'never' : mustRelay(blob));
      const relayUrl = mayRelay ? endpoint.relayUrl?.(blob.claim?.token, blob.id) : undefined;
      if (!target && !relayUrl) return { status: 'unready' };
      const isForm = target?.method === 'POST';
      const reserve = (): Stop | undefined =>
        platform.keepalive.reserve(blob.bytes.length + (isForm ? FORM_BYTES : 0));
      let release = leaving ? reserve() : undefined;
      if (leaving && !release) return { status: 'unready' };

      // From here on the store may have the bytes, whatever we hear of it.
      const { claim, relayed: wasRelayed = false } = blob;
      if (claim) claim.tries++;
      else blob.relayed = true;
      if (!leaving) {
        if (!(await deps.claimed(blob))) return { status: 'gone' };
        // It has gone out with the page meanwhile.
        if (surviving.has(blob)) return { status: 'unready' };
        release = reserve();
      }
      announce();
      let sending: Promise<Outcome> | Outcome;
      if (target && !(leaving && isForm)) sending = upload(blob, target, release !== undefined);
      else if (target) sending = beacon(target.url, formOf(target.fields, blob));
      else if (leaving) sending = beacon(relayUrl as string, blob.bytes);
      else sending = relayTo(relayUrl as string, blob, release !== undefined, wasRelayed);

      if (release) surviving.add(blob);
      const outcome = await sending;
      surviving.delete(blob);
      if (outcome.status === 'unready' && leaving) {
        // The browser has refused it.
        if (claim) claim.tries--;
        else blob.relayed = wasRelayed;
      }
      if (release && outcome.status === 'unconfirmed') platform.after(BEACON_MILLIS, release);
      else release?.();
      return outcome;
    },
    remembered: notifier.remembered,
    reserve: () => (relay === 'always' ? undefined : reserve('normal')),
    unreserve(claim) {
      const upload = inUse.get(claim);
      if (upload) pool.putBack(upload);
    },
    defer(blob, claim) {
      const upload = inUse.get(claim);
      if (!upload || !isUsable(platform, upload)) return undefined;
      const takeBack = platform.defer(upload.url, uploadRequest(upload, blob, true));
      if (takeBack) totals.requests.deferred++;
      return takeBack;
    },
    leave() {
      notifier.leave(lastReceipts);
      lastReceipts = [];
    },
    settle: notifier.settle,
    close: notifier.close,
  };
}
