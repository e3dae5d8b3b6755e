/**
 * The half of a bucket that a page has from its beginning: it leaves by the relay, and says what it has lost. What a
 * living page does comes later, in `send.ts` and `tell.ts`.
 */

import type { Destination, DestinationDeps, OpenDestination } from '../destinations/destination.js';
import { sumOf } from '../json.js';
import { type BucketTuning, type CheckedBucketOptions, checkBucketOptions, isPath } from '../options.js';
import type { TraceBlob } from '../pipeline/model.js';
import {
  createEndpoint,
  type Endpoint,
  type LossReport,
  type Message,
  meaningOf,
  type Receipt,
} from './endpoint.js';
import type { BucketFunctions } from './functions.js';

/** Options of {@link bucket}: either `endpoint`, or functions of your own. */
export type BucketOptions = BucketTuning &
  (
    | ({ endpoint: string } & { [K in keyof BucketFunctions]?: never })
    | ({ endpoint?: never } & BucketFunctions)
  );

type Counts = { [name: string]: number };

/** What is to be told, and whom to tell that it was. */
export interface Told {
  receipt: Receipt | LossReport;
  told: () => void;
}

/** What the other half goes on with. */
export interface Leaving {
  readonly deps: DestinationDeps;
  readonly options: CheckedBucketOptions;
  readonly functions: BucketFunctions;
  /** Undefined where there are functions in its place. */
  readonly endpoint: Endpoint | undefined;
  /** Undefined where nothing may go through it. */
  readonly relayUrl: Endpoint['relayUrl'] | undefined;
  /** Until when everything goes through it; monotonic. */
  relayUntilMillis: number;
  /** What went out with the page, without an answer. */
  readonly unconfirmed: TraceBlob[];
  /** By id. */
  readonly receipts: Map<string, Told>;
  /** What the server knows. */
  known: { lost: Counts; health: Counts };
  counted(): Leaving['known'];
  isOwing(): boolean;
  message(wants: Message['wants'], told: readonly (Receipt | LossReport)[]): Message;
  readonly open: OpenDestination;
}

/** What the endpoint takes at once. */
export const MAX_RECEIPTS = 80;
/** Summaries in a receipt are hints; the object holds the rest. */
const MAX_TRACES = 40;

/**
 * A bucket that leaves, and does the rest once `OpenDestination.complete` was called.
 *
 * @param rest where it is there already.
 * @throws {TypeError} naming the option, what it got and what it takes.
 */
export function leavingBucket(
  options: BucketOptions,
  rest?: (leaving: Leaving) => Partial<OpenDestination>,
): Destination {
  const checked = checkBucketOptions(options as never);
  const place = checked.endpoint ?? 'functions';
  return {
    id: checked.project === undefined ? place : `${place} ${checked.project}`,
    isOurs: true,
    takesLogs: true,
    isNowhere: isPath(checked.endpoint),
    open(deps) {
      const open = openLeaving(deps, checked, options as BucketFunctions);
      if (rest) open.complete?.(rest);
      return open;
    },
  };
}

function openLeaving(
  deps: DestinationDeps,
  options: CheckedBucketOptions,
  functions: BucketFunctions,
): OpenDestination {
  const { platform, diagnostics, signal } = deps;
  const { totals } = diagnostics;
  const { requests } = totals;
  const endpoint = options.endpoint === undefined ? undefined : createEndpoint(deps, options);
  const relayUrl = options.relay === 'never' ? undefined : endpoint?.relayUrl;

  const lostSince = (): Counts => since(totals.spans.dropped, self.known.lost);

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

  const open: Omit<OpenDestination, 'send'> = {
    receiptOf,
    // Told as the page leaves, unless the other half comes before; and by the next page.
    tell: (receipt, told) =>
      void self.receipts.set((receipt as Receipt).id, { receipt: receipt as Receipt, told }),
    ...(endpoint &&
      relayUrl && {
        async relay(blob, bytes) {
          requests.relays++;
          blob.again = true;
          const answer = await platform.request(relayUrl(blob.id), endpoint.init(bytes));
          const meaning = meaningOf(answer);
          if (meaning === 'stored' && /"v":2/.test(answer.body)) return { status: 'stored' };
          requests.uploadFailures++;
          // Nothing gets through: it is the network that is down, and not the bucket's host that is blocked.
          if (!answer.status) self.relayUntilMillis = 0;
          const cause = `relay: ${answer.status || answer.body}`;
          // An endpoint of protocol 1 alone takes the id for a token.
          if (meaning === 'never' && !/bad_token/.test(answer.body))
            return { status: 'rejected', reason: 'rejected', cause };
          return { status: 'retryable', cause, retryAfterMillis: answer.retryAfterMillis };
        },
        sendNow(blob, bytes) {
          const url = relayUrl(blob.id);
          const isOut = endpoint.outlive(url, bytes, bytes.length);
          if (isOut && !endpoint.hasHeaders) requests.beacons++;
          else requests.relays++;
          // No room is left beside the page's own: often enough this is read before the page is gone.
          if (!isOut) void platform.request(url, endpoint.init(bytes));
          self.unconfirmed.push(blob);
          return true;
        },
      }),
    leave() {
      const gone = self.unconfirmed
        .splice(0)
        .map((blob): Receipt => ({ ...receiptOf(blob), unconfirmed: true }));
      if (!gone.length && !self.isOwing()) return undefined;
      const telling = [...self.receipts.values()].map(({ receipt }) => receipt);
      const stored = [...gone, ...telling].slice(0, MAX_RECEIPTS);
      // Beside the bytes there may be room for little.
      const short = stored.map((receipt) => ({ ...receipt, traces: [] }));
      const lost = lostSince();
      if (![stored, short].some((told) => endpoint?.beacon(self.message([], told))))
        return Object.keys(lost).length ? { id: `lost ${deps.page}`, lost } : undefined;
      requests.beacons++;
      self.known = self.counted();
      return undefined;
    },
    complete: (rest) => void Object.assign(open, rest(self as never)),
    close() {},
  };

  const self: Leaving = {
    ...{ deps, options, functions, endpoint, relayUrl },
    open: open as OpenDestination,
    relayUntilMillis: 0,
    unconfirmed: [],
    receipts: new Map(),
    known: { lost: {}, health: {} },
    counted() {
      const { uploadFailures, exchangeFailures } = requests;
      const { exceptions, pool, spans } = totals;
      const health = { uploadFailures, exchangeFailures, noUpload: pool.empty, exceptions };
      return { lost: { ...spans.dropped }, health };
    },
    isOwing: () => self.receipts.size > 0 || Object.keys(lostSince()).length > 0,
    message(wants, told) {
      const { spans, buffer } = diagnostics.stats();
      const lost = lostSince();
      const stored = told.filter((one): one is Receipt => {
        if (!('lost' in one)) return true;
        for (const reason in one.lost) lost[reason] = (lost[reason] ?? 0) + (one.lost[reason] as number);
        return false;
      });
      const dropped = sumOf(Object.values(spans.dropped), (count) => count);
      const health = { ...since(self.counted().health, self.known.health), highWater: buffer.highWater };
      // What the server counts are spans.
      if (signal) return { wants, stored, lost: {} };
      const page = { ...spans, dropped, id: deps.page, sealed: totals.blobs.sealed, health };
      return { wants, stored, lost, page };
    },
  };
  return self.open;
}

/** By how much each has grown. */
function since(now: Counts, before: Counts): Counts {
  const grown = Object.entries(now).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, count]) => count > 0));
}
