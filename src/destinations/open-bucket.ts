/** Object storage by presigned uploads: stages 5 to 7 joined. */

import { sumOf } from '../json.js';
import type { CheckedBucketOptions } from '../options.js';
import type { Claim, Outcome, PooledUpload, TraceBlob } from '../pipeline/model.js';
import { createNotifier, type Endpoint } from '../pipeline/notify.js';
import { nextDelayMillis } from '../pipeline/retry.js';
import { formBytes, formOf, resultOf, type UploadResult, uploadRequest } from '../pipeline/upload.js';
import type { Stop } from '../platform/platform.js';
import type { RelayResponse, StoredReceipt } from '../protocol.js';
import { createBucketKeys } from './bucket-keys.js';
import type { DestinationDeps, OpenDestination } from './destination.js';
import { parse, usable } from './endpoint.js';

/** Opaque failures in a row before the bucket's host counts as blocked. */
const BLOCKED_AFTER = 2;
/** How long a blocked host is avoided before it is tried again. */
const BLOCKED_MILLIS = 5 * 60_000;
/** How long an endpoint is believed that says it takes everything by its relay. */
const RELAY_ONLY_MILLIS = 60 * 60_000;
/** A beacon has no answer; its blob is sent again under its key if the page lives on for this long. */
const BEACON_MILLIS = 5_000;
/** Summaries in a receipt are hints; the object holds the rest. */
const MAX_TRACES = 80;

/** Opens the destination on an endpoint, or on what stands for one. */
export function openBucket(
  deps: DestinationDeps,
  { poolSize, poolReserve, uploads, relay }: CheckedBucketOptions,
  endpoint: Endpoint,
): OpenDestination {
  const { platform, diagnostics } = deps;
  const { totals } = diagnostics;
  /** Claims whose receipt was given before the store's answer. */
  const announced = new WeakSet<Claim>();
  /** Blobs that are being sent by requests that outlive the page. */
  const surviving = new Set<TraceBlob>();
  /** Receipts of uploads begun as the page leaves. */
  let lastReceipts: StoredReceipt[] = [];
  let spansAreComing = false;
  let opaqueFailures = 0;
  let blockedUntilMillis = 0;

  const isBlocked = (): boolean => platform.monotonic() < blockedUntilMillis;
  const keys = createBucketKeys(
    { platform, totals, taken: () => notifier.talk() },
    { poolSize, poolReserve, inlined: usable(uploads) },
  );
  const notifier = createNotifier({
    ...deps,
    endpoint,
    nextDelayMillis,
    wanted: () => (spansAreComing && totals.state === 'running' && !isBlocked() ? keys.wanted : []),
    fresh: keys.fresh,
    renewed: keys.renewed,
    confirmed: keys.confirmed,
    relayOnly() {
      blockedUntilMillis = platform.monotonic() + RELAY_ONLY_MILLIS;
      if (relay === 'never') diagnostics.trouble('relay-only', 'the bucket takes no uploads');
    },
    ledger() {
      const { spans } = diagnostics.stats();
      const dropped = sumOf(Object.values(spans.dropped), (count) => count);
      return { ...spans, dropped, id: deps.page, sealed: totals.blobs.sealed };
    },
  });
  diagnostics.gauge((stats) => {
    stats.pool.ready = keys.size;
  });

  const mustRelay = (blob: TraceBlob): boolean =>
    endpoint.relayUrl !== undefined &&
    (relay === 'always' ||
      (relay === 'auto' && (isBlocked() || keys.isMisfit(blob))) ||
      (blob.relayed === true && !blob.claim));

  const receiptOf = ({ claim, spanCount, bytes, traces, page, seq }: TraceBlob): StoredReceipt | undefined =>
    claim && {
      key: claim.key,
      token: claim.token,
      page,
      seq,
      spanCount,
      bytes: keys.urlOf(claim)?.bytes ?? bytes.length,
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
    if (result.status === 'exists' && (claim.tries > 1 || !keys.isShared(claim))) return stored(blob);
    totals.requests.uploadFailures++;
    if (result.status === 'exists') {
      diagnostics.trouble('key-taken', 'an inlined upload URL was given out twice; is the page cached?');
      delete blob.claim;
      return { status: 'retryable', cause: 'key taken' };
    }
    return result.status === 'expired' ? keys.refused(blob, claim) : result;
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
  const beacon = (url: string, body: BodyInit, undo: () => void): Outcome => {
    if (!platform.beacon(url, body)) {
      undo();
      return { status: 'unready' };
    }
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
      if (blob.unconfirmed && blob.claim && endpoint.confirms) {
        if (keys.fateOf(blob.claim) !== undefined) return true;
        notifier.confirm(blob.claim);
        return false;
      }
      // A misfit that is not relayed is given up.
      if (mustRelay(blob) || keys.heldBy(blob) || keys.isMisfit(blob)) return true;
      if (isBlocked()) return false;
      if (blob.claim ? keys.isUnknown(blob.claim) : keys.ready(blob)) return true;
      if (blob.claim) notifier.renew(blob.claim, blob.bytes.length);
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
      if (blob.claim && keys.fateOf(blob.claim)) return stored(blob);
      blob.unconfirmed = false;
      const target = mustRelay(blob) ? undefined : keys.take(blob, mode);
      if (!target && blob.claim && keys.isUnknown(blob.claim)) {
        return {
          status: 'rejected',
          reason: 'rejected',
          cause: 'the endpoint does not know the key any more',
        };
      }
      if (!target && !mustRelay(blob) && keys.isMisfit(blob)) {
        return { status: 'rejected', reason: 'too-large', cause: 'no upload takes it' };
      }
      const mayRelay = !target && (leaving ? relay !== 'never' : mustRelay(blob));
      const relayUrl = mayRelay ? endpoint.relayUrl?.(blob.claim?.token, blob.id) : undefined;
      if (!target && !relayUrl) return { status: 'unready' };
      const isForm = target?.method === 'POST';
      const reserve = (): Stop | undefined =>
        platform.keepalive.reserve(
          (target?.bytes ?? blob.bytes.length) + (isForm ? formBytes(target.fields) : 0),
        );
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
      const undo = (): void => {
        if (claim) claim.tries--;
        else blob.relayed = wasRelayed;
      };
      announce();
      let sending: Promise<Outcome> | Outcome;
      if (target && !(leaving && isForm)) sending = upload(blob, target, release !== undefined);
      else if (target) sending = beacon(target.url, formOf(target, blob), undo);
      else if (leaving) sending = beacon(relayUrl as string, blob.bytes, undo);
      else sending = relayTo(relayUrl as string, blob, release !== undefined, wasRelayed);

      if (release) surviving.add(blob);
      const outcome = await sending;
      surviving.delete(blob);
      if (release && outcome.status === 'unconfirmed') platform.after(BEACON_MILLIS, release);
      else release?.();
      return outcome;
    },
    remembered: notifier.remembered,
    reserve: (...what) => (relay === 'always' || isBlocked() ? undefined : keys.reserve(...what)),
    unreserve: keys.unreserve,
    defer(blob, claim) {
      const upload = keys.urlOf(claim);
      const takeBack = upload && platform.defer(upload.url, uploadRequest(upload, blob, true));
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
