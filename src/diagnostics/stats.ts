import type { Consent } from '../page-options.js';
import type { DropReason } from '../pipeline/model.js';

/** What became of a trace, or of one part of it where it goes in several objects. */
export type TraceResult = {
  /** 32 lowercase hex digits. */
  traceId: string;
  /** Its spans that this is of. */
  spanCount: number;
} & ({ status: 'stored' } | { status: 'lost'; reason: DropReason });

/**
 * Everything that can be known of a running exporter, at one instant.
 *
 * `spans.created + spans.adopted = spans.stored + spans.waiting + sum of spans.dropped + spans.handedOver` at every
 * moment.
 * Counters only grow; gauges are marked.
 */
export interface Stats {
  spans: {
    /** Spans of traces that are kept, ended while consent was not denied. */
    created: number;
    /** Spans taken over from pages that are gone. */
    adopted: number;
    /** Spans that another page has taken over while this one was away: counted there. */
    handedOver: number;
    /** Spans in objects that the store has confirmed. */
    stored: number;
    /** Gauge: spans in the buffer, being encoded, or in the outbox. */
    waiting: number;
    /** Spans lost, by reason. Reasons that never happened are absent. */
    dropped: Partial<Record<DropReason, number>>;
  };
  blobs: {
    sealed: number;
    stored: number;
    /** Gauge. */
    waiting: number;
    /** Gauge: uploads in flight. */
    inFlight: number;
    /** Gauge: sent while the page was hidden or leaving; no answer seen yet. */
    unconfirmed: number;
  };
  bytes: {
    /** OTLP/JSON before compression. */
    raw: number;
    /** After compression. */
    gzip: number;
    /** Confirmed by the store. */
    stored: number;
    /** Gauge: in the outbox, compressed. */
    waiting: number;
  };
  storage: {
    /** Gauge: whether there is a database, so that the next page finds what this one leaves. */
    durable: boolean;
    /** Times the database failed; what it was to hold was kept in memory. */
    failures: number;
    /** Records of earlier pages that could not be read. */
    corrupt: number;
  };
  /**
   * Of `tee()`: the same of each further destination. Its `created` are the spans in the blobs that it was given; what
   * is lost before that counts above.
   */
  others: Stats[];
  /** What was left out is in no other figure. Of an exporter alone these are all 0: its provider samples. */
  sampling: {
    /** Traces that began on this page and were kept. */
    kept: number;
    /** Traces that were sampled out, whole. */
    dropped: number;
    /** Their spans. */
    droppedSpans: number;
    /** Of `dropped`, traces for which there was no room to wait for their end. */
    crowdedOut: number;
    /** Gauge: spans, ended or open, of traces that are not decided yet. Held in memory alone. */
    undecided: number;
    /** Gauge: the endpoint's rules. */
    rules: number;
    /** Of the latest rules, those that are none. */
    badRules: number;
  };
  buffer: {
    /** Gauge: ended spans that no blob holds yet. */
    spans: number;
    /** Gauge: spans that have started and not ended. */
    open: number;
    /** The most spans that waited at once, since the endpoint was last told. */
    highWater: number;
  };
  pool: {
    /** Gauge: presigned uploads ready to use. */
    ready: number;
    /** Times a blob was to be sent and no upload was ready for it, however often it was looked for. */
    empty: number;
    /** Uploads that expired unused. */
    expired: number;
  };
  requests: {
    uploads: number;
    /** Uploads that failed, whatever became of the blob after. */
    uploadFailures: number;
    exchanges: number;
    exchangeFailures: number;
    /** Calls of `bucket()`'s `notify`, and those that failed: their receipts come again. */
    notifies: number;
    notifyFailures: number;
    relays: number;
    beacons: number;
    /** Requests left with the browser for when the page is gone; most are taken back. */
    deferred: number;
  };
  /** Our own exceptions, caught before the host could see them. */
  exceptions: number;
  /** Gauge. */
  state: 'running' | 'paused' | 'shut-down';
  /** Gauge. */
  consent: Consent;
  /** The latest trouble of each kind, newest last, at most 8. */
  errors: { kind: string; message: string; atMillis: number; count: number }[];
}
