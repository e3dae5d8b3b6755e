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
  stored(blob: TraceBlob): void;
  dropped(blob: TraceBlob, reason: DropReason, cause: string): void;
  /** Attempts, instants or claims have changed. */
  changed(blob: TraceBlob): void;
  failed(cause: string): void;
}

export interface Dispatch {
  /** Begins what can begin now, and sets a timer for the rest. */
  wake(): void;
  /** Begins everything that may go in this task, smallest first, as the page leaves. */
  leave(): void;
  /** The network is back: delays of our own are forgotten, those that a server asked for are kept. */
  hurry(): void;
  /**
   * Resolves when every blob that waits now was stored, has failed once more, or is gone; not those that a server asked
   * to wait.
   */
  settle(): Promise<void>;
  readonly inFlightCount: number;
  close(): void;
}

const MAX_IN_FLIGHT = 4;
/** No delay of ours is longer; one that seems so means that the wall clock was set back. */
const MAX_DELAY_MILLIS = 2 * 60 * 60_000;

export function createDispatch(deps: DispatchDeps): Dispatch {
  const { platform } = deps;
  const inFlight = new Set<TraceBlob>();
  /** Blobs whose delay was asked for by a server. */
  const patient = new WeakSet<TraceBlob>();
  let settling: { blobs: Set<TraceBlob>; done: () => void }[] = [];
  /** Failures since the last success; above 0, one blob at a time is sent, as a probe. */
  let failures = 0;
  /** While failing, nothing is sent before this instant. */
  let resumeAtMillis = 0;
  let closed = false;
  let timer: Stop | undefined;

  const settle = (blob: TraceBlob): void => {
    for (const wait of settling) {
      wait.blobs.delete(blob);
      if (!wait.blobs.size) wait.done();
    }
    settling = settling.filter((wait) => wait.blobs.size);
  };

  const delay = (blob: TraceBlob, millis: number): void => {
    blob.notBeforeMillis = platform.now() + millis;
    deps.changed(blob);
  };

  const nextDelay = (tries: number, outcome: { retryAfterMillis?: number }): number =>
    deps.nextDelayMillis(tries, platform.random(), outcome.retryAfterMillis);

  const conclude = (blob: TraceBlob, outcome: Outcome): void => {
    inFlight.delete(blob);
    switch (outcome.status) {
      case 'stored':
        failures = 0;
        deps.stored(blob);
        break;
      case 'rejected':
        deps.dropped(blob, outcome.reason, outcome.cause);
        break;
      case 'retryable':
        failures++;
        blob.attempts++;
        if (outcome.retryAfterMillis !== undefined) patient.add(blob);
        resumeAtMillis = platform.now() + nextDelay(failures, outcome);
        delay(blob, nextDelay(blob.attempts, outcome));
        deps.failed(outcome.cause);
        break;
      case 'unconfirmed':
        blob.unconfirmed = true;
        delay(blob, outcome.askInMillis);
        break;
      case 'unready':
        break;
    }
    if (outcome.status !== 'unready') settle(blob);
    self.wake();
  };

  const begin = (blob: TraceBlob, mode: SendMode): void => {
    inFlight.add(blob);
    void deps.send(blob, mode).then((outcome) => conclude(blob, outcome));
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
        const dueAtMillis = Math.max(blob.notBeforeMillis, failures ? resumeAtMillis : 0);
        if (dueAtMillis > now && dueAtMillis < now + MAX_DELAY_MILLIS) next = Math.min(next, dueAtMillis);
        else if (deps.ready(blob)) begin(blob, 'normal');
      }
      if (next !== Number.POSITIVE_INFINITY && !inFlight.size) timer = platform.after(next - now, self.wake);
    },
    leave() {
      const bySize = [...deps.waiting()].sort((a, b) => a.bytes.length - b.bytes.length);
      for (const blob of bySize) if (!blob.unconfirmed) begin(blob, 'leaving');
    },
    hurry() {
      for (const blob of deps.waiting()) if (!patient.has(blob)) blob.notBeforeMillis = 0;
      resumeAtMillis = 0;
      self.wake();
    },
    settle() {
      const blobs = new Set(deps.waiting().filter((blob) => !patient.has(blob)));
      if (!blobs.size) return Promise.resolve();
      return new Promise((done) => {
        settling.push({ blobs, done });
        self.hurry();
      });
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
