/** Where blobs go. A destination takes a blob and answers with an outcome; it knows nothing of buffers or retries. */
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { Outcome, SendMode, TraceBlob } from '../pipeline/model.js';
import type { Platform } from '../platform/platform.js';

/** What a user names (`bucket({…})`); does nothing until an exporter opens it. */
export interface Destination {
  open(deps: DestinationDeps): OpenDestination;
}

export interface DestinationDeps {
  readonly platform: Platform;
  readonly diagnostics: Diagnostics;
  /** Something changed: sends that were not ready may be now. */
  wake(): void;
  /** A blob got its key; write that down before the bytes go. */
  claimed(blob: TraceBlob): void;
  /** The operator's kill switch. */
  pause(): void;
}

export interface OpenDestination {
  /** Gets ready for blobs that will come soon. */
  warmUp(): void;
  /** Whether {@link send} could begin at once. If not, the destination sees to it and calls `wake`. */
  ready(blob: TraceBlob): boolean;
  /** Brings one blob there. In `leaving` mode its requests have begun when this returns. Never rejects. */
  send(blob: TraceBlob, mode: SendMode): Promise<Outcome>;
  /** The page leaves: says what must be said without waiting for an answer. */
  leave(): void;
  /** Resolves when the server has been told of all that is stored, or could not be told. Never rejects. */
  settle(): Promise<void>;
  /** Ends all timers and requests. */
  close(): void;
}
