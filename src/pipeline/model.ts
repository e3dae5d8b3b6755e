/** The nouns of the pipeline. */

import type { TraceSummary } from '../protocol.js';
import type { OpenSpan, ReadableSpan } from './span.js';

/** Why spans were lost. Each appears unchanged in `stats()`, in `lost` and in README.md beside this. */
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

/**
 * Spans under one resource and one scope, as OTLP/JSON text. `resource` and `scope` are the text up to the list that
 * stays open, `spans` are the elements of that list, joined by commas.
 */
export interface SpanTexts {
  readonly resource: string;
  readonly scope: string;
  spans: string;
}

/** What is written down at once: spans that ended since the part before it. */
export interface Part {
  readonly texts: SpanTexts[];
  readonly traces: TraceSummary[];
}

/** A presigned upload that is held: one permission to put one object. */
export interface Upload {
  method: 'PUT' | 'POST';
  url: string;
  headers: Record<string, string>;
  fields?: Record<string, string>;
  /** The exact length, or the greatest, that the store takes. */
  bytes?: number;
  maxBytes?: number;
  /** Names the object to whoever issued the upload, where that is not the blob's id. */
  key?: string;
  /** When it ends, by the monotonic clock of the page that asked for it. */
  endsAtMillis: number;
}

/**
 * What becomes one object. It has its id from its first span on, and that id is the object's name: whoever sends it,
 * by whichever way, from whichever page, writes the same object once.
 *
 * `open`: takes spans. `lent`: takes none any more, and the browser has it as well; what follows may take it in.
 * `closed`: is to be sent. `packed`: and its bytes are there.
 */
export interface TraceBlob {
  /** UUIDv7. */
  readonly id: string;
  /** The page that began it, and its number among those that were closed there, from 1; 0 while it is open. */
  readonly page: string;
  seq: number;
  /** Epoch milliseconds of its first span. */
  readonly bornAtMillis: number;
  /** Whether an earlier page left it. */
  readonly isAdopted: boolean;
  state: 'open' | 'lent' | 'closed' | 'packed';
  /** Whether it has taken in another one. */
  isMixed: boolean;
  /** Its text; the last part grows until it is written down. Empty when packed and written down as bytes. */
  parts: Part[];
  /** How many of its parts were written down. */
  partCount: number;
  /** By trace id. */
  readonly traces: Map<string, TraceSummary>;
  spanCount: number;
  error: boolean;
  /** Characters of text. */
  chars: number;
  /** One gzip member of one OTLP/JSON request. */
  bytes: Uint8Array<ArrayBuffer> | undefined;
  rawBytes: number;
  /** Failed attempts. */
  attempts: number;
  /** Not before this instant, epoch milliseconds; 0 for at once. */
  notBeforeMillis: number;
  /** Whether the other side asked for that, of everything. */
  isHeld: boolean;
  /** A request without an answer may have brought the bytes. */
  again: boolean;
  /** The permission under which it goes, where that is not its id's: its own for life. */
  upload: Upload | undefined;
  /** Of the object that version 0.1.0 may have made of it. */
  token: string | undefined;
}

export const newBlob = (id: string, page: string): TraceBlob => ({
  ...{ id, page, bornAtMillis: bornAt(id), isAdopted: false, seq: 0, state: 'open', isMixed: false },
  ...{ parts: [], partCount: 0, traces: new Map(), spanCount: 0, error: false, chars: 0 },
  ...{ bytes: undefined, rawBytes: 0, upload: undefined, token: undefined },
  ...{ attempts: 0, notBeforeMillis: 0, isHeld: false, again: false },
});

/** Epoch milliseconds, from a UUIDv7. NaN when it is none. */
export const bornAt = (uuid: string): number => Number.parseInt(uuid.replace('-', '').slice(0, 12), 16);

/** What came of one attempt to bring a blob to its destination. */
export type Outcome =
  /** `rejected`: the other side took all but so many of its spans, for good. */
  | { status: 'stored'; rejected?: { spanCount: number; cause: string } }
  /**
   * Try again. `retryAfterMillis`: the other side asks for patience with everything. `delayMillis`: hurry is no use, for
   * this blob.
   */
  | {
      status: 'retryable';
      cause: string;
      retryAfterMillis?: number | undefined;
      delayMillis?: number | undefined;
    }
  /** Never again. */
  | { status: 'rejected'; reason: DropReason; cause: string };

export type { OpenSpan, ReadableSpan, TraceSummary };
