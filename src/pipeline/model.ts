/** The nouns that the stages pass along. Stages import these, and not one another. */
import type { PresignedUpload, TraceSummary } from '../protocol.js';
import type { OpenSpan, ReadableSpan } from './span.js';

/** Why spans were lost. Each appears unchanged in `stats()`, in `lost` and in the README. */
export type DropReason =
  | 'buffer-full' // more spans waited than maxBufferedSpans
  | 'outbox-full' // more blobs or bytes waited than the outbox holds
  | 'too-old' // a blob waited longer than the outbox keeps it
  | 'unencodable' // a span that cannot be written as OTLP
  | 'too-large' // a single span over the largest blob
  | 'redacted' // the user's redact hook dropped it, or threw
  | 'consent' // the user has not consented, or no longer does
  | 'rejected' // the store refused the blob for ever, or a collector some of its spans
  | 'paused' // the operator's kill switch
  | 'shutdown'; // shutdown() ran out of time, and it was in no blob in the database

/** Spans of one trace, handed on together. In end order. */
export interface SpanGroup {
  traceId: string;
  spans: ReadableSpan[];
}

/**
 * Told how many spans of a group were lost, once for each reason. `unencodable`: malformed ids, times that are no
 * instants, getters that throw. `too-large`: over the largest span. `redacted`: the user's hook says so.
 */
export type OnDropped = (reason: DropReason, spanCount: number) => void;

/** One trace (or part) as text: comma-joined elements of `resourceSpans`, ready to be packed beside others. */
export interface EncodedTrace {
  json: string;
  summary: TraceSummary;
}

/** The gzip bytes that become one object, and all that must be known to bring them there. */
export interface TraceBlob {
  /** UUIDv7, ours. */
  readonly id: string;
  /** UUID of the page that sealed it, and its number among what that page sealed for one destination, from 1. */
  readonly page: string;
  readonly seq: number;
  /** One gzip member of one OTLP/JSON request. Nobody may change these. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rawBytes: number;
  readonly spanCount: number;
  readonly error: boolean;
  readonly traces: readonly TraceSummary[];
  /** Epoch milliseconds. */
  readonly sealedAtMillis: number;
  /** Failed attempts so far. */
  attempts: number;
  /** Not before this instant, epoch milliseconds; 0 for at once. */
  notBeforeMillis: number;
  /** A server asked for patience with everything until this instant, epoch milliseconds. */
  heldUntilMillis?: number;
  /** The key that this blob owns for life, once it has one. */
  claim?: Claim;
  /** True while a request without an answer may have brought the bytes. */
  unconfirmed?: boolean;
  /** True once a relay may have stored the bytes without a claim: from then on only the endpoint knows their key. */
  relayed?: boolean;
  /**
   * Since its length was asked for: how many answers held no upload that takes it. Not written down, as the next page
   * may hear another answer.
   */
  misfits?: number;
}

/** What of a blob is the same for every destination. */
export type SealedBlob = Omit<
  TraceBlob,
  | 'page'
  | 'seq'
  | 'attempts'
  | 'notBeforeMillis'
  | 'heldUntilMillis'
  | 'claim'
  | 'unconfirmed'
  | 'relayed'
  | 'misfits'
>;

/** A blob's hold on one object key. */
export interface Claim {
  readonly key: string;
  readonly token: string;
  /** Requests begun that may have stored the bytes; from the second on, "already there" means our own bytes. */
  tries: number;
}

/** A moment on both clocks. */
export interface Instant {
  wall: number;
  monotonic: number;
}

/** A presigned upload whose lifetime began when it was asked for. */
export interface PooledUpload extends PresignedUpload {
  readonly askedAt: Instant;
}

/** What came of one attempt to bring a blob to its destination. */
export type Outcome =
  /** `rejected`: the other side says that it took all but so many of the blob's spans, for good. */
  | { status: 'stored'; rejected?: { spanCount: number; cause: string } }
  /** A beacon took the bytes: there is no answer. Worth asking about after `askInMillis`. */
  | { status: 'unconfirmed'; askInMillis: number }
  /**
   * Try again. `retryAfterMillis`: the other side asks for patience with everything. `delayMillis`: hurry is no use,
   * for this blob.
   */
  | {
      status: 'retryable';
      retryAfterMillis?: number | undefined;
      delayMillis?: number | undefined;
      cause: string;
    }
  /** Another page has taken the blob over. */
  | { status: 'gone' }
  /** Nothing to send with yet (no URL). Not a failed attempt. */
  | { status: 'unready' }
  /** Never again. */
  | { status: 'rejected'; reason: DropReason; cause: string };

/** How a send may behave. `leaving`: all in this task, nothing awaited, bytes within the keepalive budget. */
export type SendMode = 'normal' | 'leaving';

export type { OpenSpan, PresignedUpload, ReadableSpan, TraceSummary };
