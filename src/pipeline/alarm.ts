/** One timer for all that the pipeline waits for, and one run at a time. */
import type { Platform, Stop } from '../platform/platform.js';

/**
 * What `work` resolves with; undefined when `millis` have passed first.
 *
 * @throws what it rejects with.
 */
export const within = <T>(
  { after }: Pick<Platform, 'after'>,
  millis: number,
  work: Promise<T> | undefined,
  isAwaited?: boolean,
): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    const stop = after(millis, () => resolve(undefined), isAwaited);
    Promise.resolve(work).then(resolve, reject).finally(stop);
  });

export interface Alarm {
  /** Something has happened: runs at the next idle moment. */
  soon(): void;
  /** Runs at this instant at the latest; monotonic. */
  at(millis: number): void;
  /** Runs no more. */
  stop(): void;
}

/** Long enough to make bursts one task, short enough that a crash loses little. */
const IDLE_MILLIS = 50;

export function createAlarm(
  platform: Pick<Platform, 'after' | 'whenIdle' | 'monotonic'>,
  work: () => Promise<void>,
  failed: (error: unknown) => void,
): Alarm {
  let timer: Stop | undefined;
  let atMillis = Number.POSITIVE_INFINITY;
  let isRunning = false;
  /** What happened meanwhile is looked at afterwards. */
  let isMissed = false;
  let isStopped = false;

  const run = (): void => {
    timer = undefined;
    atMillis = Number.POSITIVE_INFINITY;
    isMissed = isRunning;
    if (isRunning) return;
    isRunning = true;
    void work()
      .catch(failed)
      .then(() => {
        isRunning = false;
        if (isMissed) self.soon();
      });
  };
  const set = (millis: number, begin: () => Stop): void => {
    if (atMillis <= millis || isStopped) return;
    timer?.();
    atMillis = millis;
    timer = begin();
  };

  const self: Alarm = {
    soon: () => set(platform.monotonic() + IDLE_MILLIS, () => platform.whenIdle(IDLE_MILLIS, run)),
    at: (millis) => set(millis, () => platform.after(millis - platform.monotonic(), run)),
    stop() {
      isStopped = true;
      timer?.();
    },
  };
  return self;
}
