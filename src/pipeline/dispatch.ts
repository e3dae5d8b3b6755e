/**
 * Takes blobs from the outbox to the destination and settles what came of them: at most four at once; one at a
 * time as a probe while sends fail; again when retry says so.
 */
import type { Platform, Stop } from '../platform/platform.js';
import type { DropReason, Outcome, SendMode, TraceBlob } from './model.js';

export interface DispatchDeps {
  platform: Platform;
  /** Blobs that wait, oldest first. */
  waiting(): readonly TraceBlob[];
  ready(blob: TraceBlob): boolean;
  send(blob: TraceBlob, mode: SendMode): Promise<Outcome>;
  nextDelayMillis(failures: number, random: number, retryAfterMillis?: number): number;
  stored(blob: TraceBlob, rejected?: { spanCount: number; cause: string }): void;
  dropped(blob: TraceBlob, reason: DropReason, cause: string): void;
  /** Attempts, instants or claims have changed. */
  changed(blob: TraceBlob): void;
  failed(cause: string): void;
}

export interface Dispatch {
  /** Begins what can begin now, and sets a timer for the rest. */
  wake(): void;
  /** Begins to send one in this task, as the page leaves, unless it may have arrived already. */
  leave(blob: TraceBlob): void;
  /** The network is back, or somebody asks: delays of our own are forgotten, those that a server asked for are kept. */
  hurry(): void;
  /** A server has asked an earlier page to be patient until then, epoch milliseconds. */
  hold(untilMillis: number): void;
  /** Sends what can be sent now. Resolves when nothing is in flight; true when that brought anything further. */
  round(): Promise<boolean>;
  readonly inFlightCount: number;
  close(): void;
}

const MAX_IN_FLIGHT = 4;
/** No delay of ours is longer; one that seems so means that the wall clock was set back. */
const MAX_DELAY_MILLIS = 2 * 60 * 60_000;

export function createDispatch(deps: DispatchDeps): Dispatch {
  const { platform } = deps;
  const inFlight = new Map<TraceBlob, Promise<void>>();
  /** Failures since the last success; above 0, one blob at a time is sent, as a probe. */
  let failures = 0;
  /** While failing, nothing is sent before this instant. */
  let resumeAtMillis = 0;
  /** A server asked for this. */
  let holdUntilMillis = 0;
  let progress = 0;
  let closed = false;
  let timer: Stop | undefined;

  const conclude = (blob: TraceBlob, outcome: Outcome): void => {
    if (closed) return;
    const now = platform.now();
    if (outcome.status === 'stored') {
      failures = 0;
      progress++;
      deps.stored(blob, outcome.rejected);
    } else if (outcome.status === 'rejected') {
      progress++;
      deps.dropped(blob, outcome.reason, outcome.cause);
    } else if (outcome.status === 'unconfirmed') {
      blob.unconfirmed = true;
      blob.notBeforeMillis = now + outcome.askInMillis;
      deps.changed(blob);
    } else if (outcome.status === 'retryable') {
      const { retryAfterMillis, delayMillis, cause } = outcome;
      const delay = (tries: number, least?: number): number =>
        now + deps.nextDelayMillis(tries, platform.random(), least);
      resumeAtMillis = delay(++failures, retryAfterMillis);
      blob.notBeforeMillis = delay(++blob.attempts, retryAfterMillis ?? delayMillis);
      blob.unconfirmed = false;
      if (retryAfterMillis !== undefined) {
        holdUntilMillis = resumeAtMillis;
        blob.heldUntilMillis = resumeAtMillis;
      }
      deps.changed(blob);
      deps.failed(cause);
    } else {
      // A URL is being renewed: whoever waits should wait for that.
      progress++;
    }
    self.wake();
  };

  const begin = (blob: TraceBlob, mode: SendMode): void => {
    const failed = (error: unknown): Outcome => ({ status: 'retryable', cause: String(error) });
    // What is in flight may be sent once more as the page leaves; the blob is free when both have ended.
    const sending = Promise.all([deps.send(blob, mode).catch(failed), inFlight.get(blob)]).then(
      ([outcome]) => {
        if (inFlight.get(blob) === sending) inFlight.delete(blob);
        conclude(blob, outcome);
      },
    );
    inFlight.set(blob, sending);
  };

  const self: Dispatch = {
    wake() {
      timer?.();
      timer = undefined;
      if (closed) return;
      const now = platform.now();
      let next = Number.POSITIVE_INFINITY;
      // The least tried first, so that a blob that always fails does not keep the others waiting.
      for (const blob of [...deps.waiting()].sort((a, b) => a.attempts - b.attempts)) {
        if (inFlight.size >= (failures ? 1 : MAX_IN_FLIGHT)) return;
        if (inFlight.has(blob)) continue;
        const dueAtMillis = Math.max(blob.notBeforeMillis, holdUntilMillis, failures && resumeAtMillis);
        if (dueAtMillis > now && dueAtMillis < now + MAX_DELAY_MILLIS) next = Math.min(next, dueAtMillis);
        else if (deps.ready(blob)) begin(blob, 'normal');
      }
      if (next < Number.POSITIVE_INFINITY && !inFlight.size) timer = platform.after(next - now, self.wake);
    },
    leave(blob) {
      if (!blob.unconfirmed) begin(blob, 'leaving');
    },
    hurry() {
      if (closed) return;
      for (const blob of deps.waiting()) blob.notBeforeMillis = 0;
      resumeAtMillis = 0;
      self.wake();
    },
    hold(untilMillis) {
      if (untilMillis < platform.now() + MAX_DELAY_MILLIS)
        holdUntilMillis = Math.max(holdUntilMillis, untilMillis);
    },
    async round() {
      const before = progress;
      self.hurry();
      while (inFlight.size) await Promise.all(inFlight.values());
      return progress > before;
    },
    get inFlightCount() {
      return inFlight.size;
    },
    close() {
      closed = true;
      timer?.();
    },
  };
  return self;
}
