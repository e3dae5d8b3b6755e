/** Object storage by presigned uploads. */

import type { Destination, DestinationDeps, OpenDestination } from '../destinations/destination.js';
import { type BucketTuning, type CheckedBucketOptions, checkBucketOptions, isPath } from '../options.js';
import type { TraceBlob, Upload } from '../pipeline/model.js';
import { takes } from '../wire/upload-length.js';
import { createEndpoint, type Endpoint, type Receipt } from './endpoint.js';
import { type BucketFunctions, functionsEndpoint } from './functions.js';
import { createSender, uploadRequest } from './send.js';
import { createTell } from './tell.js';

/** Options of {@link bucket}: either `endpoint`, or functions of your own. */
export type BucketOptions = BucketTuning &
  (
    | ({ endpoint: string } & { [K in keyof BucketFunctions]?: never })
    | ({ endpoint?: never } & BucketFunctions)
  );

/**
 * A bucket (R2, S3 and the like) that an endpoint of yours hands out presigned uploads for.
 *
 * @throws {TypeError} naming the option, what it got and what it takes.
 */
export function bucket(options: BucketOptions): Destination {
  const checked = checkBucketOptions(options as never);
  const place = checked.endpoint ?? 'functions';
  return {
    id: checked.project === undefined ? place : `${place} ${checked.project}`,
    isOurs: true,
    takesLogs: true,
    isNowhere: isPath(checked.endpoint),
    open: (deps) =>
      openBucket(
        deps,
        checked,
        checked.endpoint === undefined
          ? functionsEndpoint(options as BucketFunctions, deps, checked.poolSize)
          : createEndpoint(deps, checked.endpoint, checked),
      ),
  };
}

/** A beacon has no answer; its blob is asked about if the page lives on for this long. */
const BEACON_MILLIS = 5_000;
/** Summaries in a receipt are hints; the object holds the rest. */
const MAX_TRACES = 40;

function openBucket(
  deps: DestinationDeps,
  options: CheckedBucketOptions,
  endpoint: Endpoint,
): OpenDestination {
  const { platform, diagnostics, signal } = deps;
  const { requests, pool } = diagnostics.totals;
  /** Uploads that name no blob, oldest first. */
  let spares: Upload[] = [];
  let unconfirmed: Receipt[] = [];

  const spare = (length: number): Upload | undefined => {
    const before = spares.length;
    spares = spares.filter(({ endsAtMillis }) => endsAtMillis > platform.monotonic());
    pool.expired += before - spares.length;
    const found = spares.find((upload) => takes(upload, length));
    spares = spares.filter((upload) => upload !== found);
    return found;
  };

  const tell = createTell(
    {
      ...deps,
      relayOnly: () => sender.relayOnly(),
      spares: (uploads) => void spares.push(...uploads),
    },
    endpoint,
  );
  const sender = createSender({
    ...deps,
    ...{ endpoint, tell, spare, relay: options.relay },
  });
  diagnostics.gauge((stats) => {
    stats.pool.ready = spares.length;
  });

  const receiptOf = (blob: TraceBlob): Receipt => ({
    id: blob.id,
    ...(blob.upload?.key !== undefined && { key: blob.upload.key }),
    page: blob.page,
    seq: blob.seq,
    spanCount: blob.spanCount,
    bytes: blob.upload?.bytes ?? blob.bytes?.length ?? 0,
    traces: [...blob.traces.values()].slice(0, MAX_TRACES),
    ...(signal && { signal, spanCount: 0, logRecordCount: blob.spanCount, traces: [] }),
  });

  return {
    send: sender.send,
    ...(endpoint.relayUrl && options.relay !== 'never' && { relay: sender.relay }),
    sendNow(blob, bytes) {
      const { upload } = blob;
      const url = upload ? undefined : options.relay !== 'never' && endpoint.relayUrl?.(blob.id);
      const isLive = upload && upload.endsAtMillis > platform.monotonic() && takes(upload, bytes.length);
      if (!url && !isLive) return false;
      const release = platform.keepalive.reserve(upload?.bytes ?? bytes.length);
      if (release) platform.after(BEACON_MILLIS, release);
      if (isLive) {
        if (!release) return false;
        requests.uploads++;
        void platform.request(upload.url, uploadRequest(upload, bytes, true));
      } else if (release && !endpoint.hasHeaders && platform.beacon(url as string, bytes)) requests.beacons++;
      else {
        // No room is left beside the page's own: often enough this is read before the page is gone.
        requests.relays++;
        void platform.request(url as string, {
          ...endpoint.init?.(bytes),
          keepalive: !!release && endpoint.hasHeaders === true,
        });
      }
      unconfirmed.push({ ...receiptOf(blob), unconfirmed: true });
      return true;
    },
    sendLater(id, bytes) {
      const url = options.relay !== 'never' && endpoint.relayUrl?.(id);
      const takeBack = url && platform.defer(url, endpoint.init?.(bytes) as RequestInit);
      if (takeBack) requests.deferred++;
      return takeBack || undefined;
    },
    hold: () => (endpoint.relayUrl ? undefined : spare(0)),
    receiptOf,
    tell: (receipt, told) => tell.tell(receipt as Receipt, told),
    leave() {
      const owed = tell.leave(unconfirmed);
      unconfirmed = [];
      return owed;
    },
    ask: tell.talk,
    settle: tell.settle,
    close: tell.close,
  };
}
