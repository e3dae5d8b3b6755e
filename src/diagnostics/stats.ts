import type { Consent } from '../page-options.js';
import type { DropReason } from '../pipeline/model.js';

/**
 * Everything that can be known of a running exporter, at one instant.
 *
 * `spans.created + spans.adopted = spans.stored + spans.waiting + sum of spans.dropped + spans.handedOver` at every
 * moment.
 * Counters only grow; gauges are marked.
 */
export interface Stats {
  spans: {
    /** Sampled spans that ended while consent was not denied. */
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
  };
  storage: {
    /** Gauge: whether there is a database, so that the next page finds what this one leaves. */
    durable: boolean;
    /** Times the database failed; what it was to hold was kept in memory. */
    failures: number;
    /** Records of earlier pages that could not be read. */
    corrupt: number;
  };
  buffer: {
    /** Gauge: ended spans that no blob holds yet. */
    spans: number;
    /** Gauge: spans that have started and not ended. */
    open: number;
    /** The most that `spans` has been. */
    highWater: number;
  };
  pool: {
    /** Gauge: presigned uploads ready to use. */
    ready: number;
    /** Times a blob wanted to leave with the page and no upload was ready. */
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
