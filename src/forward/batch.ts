/** What the half that reads the bucket and the half that talks OTLP say to one another. */

/** An object that was read from the bucket. */
export interface FetchedObject {
  key: string;
  /** As stored: gzip, or so it is hoped. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** Why an object is put aside instead of being sent. */
export type QuarantineReason =
  | 'too-large' // the object, or what it inflates to
  | 'not-gzip' // or broken off, or several members
  | 'not-json' // also NDJSON
  | 'not-otlp' // no `resourceSpans` or `resourceLogs`, or what no backend takes: ids, times, kinds, depth, counts
  | 'refused'; // the backend answers this object alone with a status that is not to be tried again

/** What has become of one object. */
export interface ObjectResult {
  key: string;
  /** `retry`: nothing is wrong with it, and it was not taken. */
  status: 'sent' | 'quarantine' | 'retry';
  reason?: QuarantineReason;
  /** For people: one line, without URL and secret. */
  message?: string;
  /** Spans in the object, and spans that the backend refused in a partial success; of an object of logs its records. */
  spanCount: number;
  rejectedCount: number;
}

/** What has become of several objects that were sent together. */
export interface BatchResult {
  /** One for each object, in their order. */
  results: ObjectResult[];
  /** Requests made, and bytes sent with them. */
  requestCount: number;
  byteCount: number;
  /** How long the backend asked to be left alone, where it did not take all. */
  retryAfterMillis?: number;
  /**
   * The backend refused several of these alone and took none: they or it may be to blame, which shows once it takes
   * others. Those that are `retry` are to be given again then.
   */
  isUndecided?: true;
}

/** Stages between the bucket and the backend: inspect, stamp, join, send. */
export interface BatchSender {
  /** Never rejects. */
  send(objects: readonly FetchedObject[], signal?: AbortSignal): Promise<BatchResult>;
}
