/** Object storage by presigned uploads. */
import { type BucketTuning, type CheckedBucketOptions, checkBucketOptions, isPath } from '../../options.js';
import { takes } from '../../pipeline/upload-length.js';
import type { StoredReceipt } from '../../protocol.js';
import type { Destination, DestinationDeps, OpenDestination } from '../pipeline/destination.js';
import type { TraceBlob, Upload } from '../pipeline/model.js';
import {
  createEndpoint,
  type Endpoint,
  type IssuedUpload,
  type Receipt,
  usable,
  type Want,
} from './endpoint.js';
import { createSender, uploadRequest } from './send.js';
import { createTell } from './tell.js';

/** A user's own functions in place of the endpoint. */
export interface BucketFunctions {
  /**
   * Issues presigned uploads: for each of `wants`, by its `id` and length in bytes, and `spares` that name no `id`, for
   * whichever blob comes next. An upload that names the `id` of a want is for that one, and must write the same object
   * each time. Whoever signs a length says so in the upload's `bytes`, or `maxBytes`. May reject; it is asked again, later
   * and later.
   */
  requestUploads(request: {
    wants: Want[];
    spares: number;
  }): Promise<(Omit<IssuedUpload, 'id'> & { id?: string })[]>;
  /** Hears of stored objects. May reject; the receipts then come again. */
  notify?(receipts: Receipt[]): Promise<void>;
}

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
    isNowhere: isPath(checked.endpoint),
    open: (deps) =>
      openBucket(
        deps,
        checked,
        checked.endpoint === undefined
          ? functionsEndpoint(options as BucketFunctions, checked.poolSize)
          : createEndpoint(deps.platform, checked.endpoint, checked.project, checked.headers),
      ),
  };
}

/** A beacon has no answer; its blob is asked about if the page lives on for this long. */
const BEACON_MILLIS = 5_000;
/** Summaries in a receipt are hints; the object holds the rest. */
const MAX_TRACES = 80;

function openBucket(
  deps: DestinationDeps,
  options: CheckedBucketOptions,
  endpoint: Endpoint,
): OpenDestination {
  const { platform, diagnostics } = deps;
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
    ...{ platform, diagnostics, endpoint, tell, spare, relay: options.relay },
    saved: deps.saved,
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

/** An endpoint made of the user's functions. */
function functionsEndpoint(functions: BucketFunctions, spares: number): Endpoint {
  return {
    async exchange({ wants, stored }) {
      if (stored.length) {
        // Its failure is no reason to hold uploads up.
        const failure = await functions.notify?.(stored as Receipt[]).then(() => undefined, String);
        if (failure && !wants.length) return { ok: false, cause: failure };
      }
      try {
        const uploads = wants.length ? usable(await functions.requestUploads({ wants, spares })) : [];
        return { ok: true, uploads, isPaused: false, isRelayOnly: false };
      } catch (error) {
        return { ok: false, cause: String(error) };
      }
    },
  };
}

export type { StoredReceipt };
