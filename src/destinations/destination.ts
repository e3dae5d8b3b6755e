/** Where blobs go. A destination takes a blob and answers with an outcome; it knows nothing of buffers or retries. */
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { Claim, Outcome, SendMode, TraceBlob } from '../pipeline/model.js';
import type { Platform } from '../platform/platform.js';

/** What a user names (`bucket({…})`); does nothing until an exporter opens it. */
export interface Destination {
  /** Names the place: a page sends what an earlier one left for the same id. Default: one for all that have none. */
  readonly id?: string;
  /** True of a path where there is no page whose origin it is of, as on a server: nothing is traced for it. */
  readonly isNowhere?: boolean;
  /** What `tee()` is made of: each gets every blob, by itself. At least one; none has branches of its own. */
  readonly branches?: readonly Destination[];
  /** It says itself which functions in it are the user's. Not part of the public promise. */
  readonly isOurs?: true;
  open(deps: DestinationDeps): OpenDestination;
}

/** What functions of the user's are handed as their last argument. */
export interface Tools {
  /** The platform's `fetch`, for requests that are to make no spans. The page's own `fetch` is traced. */
  readonly fetch: Platform['fetch'];
}

export interface DestinationDeps {
  readonly platform: Platform;
  readonly diagnostics: Diagnostics;
  /** Something changed: sends that were not ready may be now. */
  wake(): void;
  /** Name of this load of the page. A UUID. */
  readonly page: string;
  /** A blob got its key: resolves once that is written down, false when another page has taken the blob over. */
  claimed(blob: TraceBlob): Promise<boolean>;
  /** Keeps something small under a name of the destination's for the next page, or forgets it when undefined. */
  remember(name: string, value: unknown): void;
  /** The operator's kill switch. */
  pause(): void;
  /** The operator's sampling rules, unchecked. */
  rules(rules: unknown): void;
}

export interface OpenDestination {
  /** Gets ready for blobs that will come soon. */
  warmUp(): void;
  /** Whether {@link send} could begin at once. If not, the destination sees to it and calls `wake`. */
  ready(blob: TraceBlob): boolean;
  /** Brings one blob there. In `leaving` mode its requests have begun when this returns. Never rejects. */
  send(blob: TraceBlob, mode: SendMode): Promise<Outcome>;
  /** Takes what an earlier page kept by `remember`: anybody on this origin may have written it. */
  remembered?(name: string, value: unknown): void;
  /**
   * A key for so many bytes, which may be left with the browser, if there is one to spare: `held`, while that takes
   * them, else one in its place, which then is the caller's to give back.
   */
  reserve?(length: number, held?: Claim): Claim | undefined;
  /** Takes back a key under which nothing was sent. */
  unreserve?(claim: Claim): void;
  /** Leaves the upload with the browser for when the page is gone. See `Platform.defer`. */
  defer?(blob: TraceBlob, claim: Claim): (() => boolean) | undefined;
  /** The page leaves: says what must be said without waiting for an answer. */
  leave(): void;
  /** Resolves when the server has been told of all that is stored, or could not be told. Never rejects. */
  settle(): Promise<void>;
  /** Ends all timers and requests. */
  close(): void;
}
