/** Where blobs go. A destination takes a blob and says what came of it; it knows nothing of buffers and retries. */
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { Outcome, TraceBlob, Upload } from '../pipeline/model.js';
import type { Platform } from '../platform/platform.js';

/** What a user names (`bucket({…})`); does nothing until an exporter opens it. */
export interface Destination {
  /** Names the place: a page sends what an earlier one left for the same id. Default: one for all that have none. */
  readonly id?: string;
  /** It says itself which functions in it are the user's. Not part of the public promise. */
  readonly isOurs?: true;
  /** Whether it takes blobs of logs as well. */
  readonly takesLogs?: true;
  /** True of a path where there is no page whose origin it is of, as on a server: nothing is traced for it. */
  readonly isNowhere?: boolean;
  open(deps: DestinationDeps): OpenDestination;
}

/** What functions of the user's are handed as their last argument. */
export interface Tools {
  /** The platform's `fetch`, for requests that are to make no spans. The page's own `fetch` is traced. */
  readonly fetch: Platform['fetch'];
}

export interface DestinationDeps {
  /** Requests that are not traced, and what a page that leaves may still do. */
  readonly platform: Pick<
    Platform,
    | ('request' | 'fetch' | 'beacon' | 'defer' | 'keepalive' | 'after' | 'yieldToMain')
    | ('now' | 'monotonic' | 'random' | 'onOnline')
  >;
  readonly diagnostics: Diagnostics;
  /** Name of this load of the page. A UUID. */
  readonly page: string;
  /** What the blobs hold, where that is not traces. */
  readonly signal?: 'logs';
  /** Writes down what of the blob has changed: its `upload`, say. Resolves when it is, or cannot be. */
  saved(blob: TraceBlob): Promise<void>;
  /** By how much the server's clock is ahead of ours, milliseconds. */
  clockOffset(millis: number): void;
  /** The operator's kill switch. */
  pause(): void;
  /** The operator's sampling rules, unchecked. */
  rules(rules: unknown): void;
}

export interface OpenDestination {
  /** Brings one blob there: its bytes are packed. Never rejects. The page lives. */
  send(blob: TraceBlob): Promise<Outcome>;
  /**
   * The same by a page that may be gone after this task: its requests have begun when this returns. `bytes`: gzip, or
   * plain JSON while nothing compresses yet. False when nothing could go out.
   */
  sendNow?(blob: TraceBlob, bytes: Uint8Array<ArrayBuffer>): boolean;
  /** Brings plain JSON there by way of the endpoint, while nothing compresses. Never rejects. */
  relay?(blob: TraceBlob, json: Uint8Array<ArrayBuffer>): Promise<Outcome>;
  /** Leaves bytes with the browser, to be sent under this id when the page is gone. The result takes it back. */
  sendLater?(id: string, bytes: Uint8Array<ArrayBuffer>): (() => boolean) | undefined;
  /** An upload that is held for a blob that begins now. */
  hold?(): Upload | undefined;
  /** What is kept of a stored blob until the server has been told. */
  receiptOf?(blob: TraceBlob): unknown;
  /** Takes a receipt, also one that an earlier page left: anybody on this origin may have written it. `told` when it was. */
  tell?(receipt: unknown, told: () => void): void;
  /**
   * The page may be gone: says what must be said without waiting for an answer.
   *
   * @returns what could not be said, for {@link tell} of a later page.
   */
  leave?(): unknown;
  /** Talks to the endpoint, whose word on pausing and sampling is wanted though nothing is to be sent. */
  ask?(): void;
  /** Resolves when the server has been told of all that is stored, or could not be told. Never rejects. */
  settle?(): Promise<void>;
  /** Takes what it does while the page lives, where that comes later than the rest. Not part of the public promise. */
  complete?(rest: (half: never) => object): void;
  /** Ends all timers and requests. */
  close(): void;
}
