/** What of an answer's time is told apart. */
export type Stage = 'body' | 'quota' | 'sign' | 'store' | 'hooks';

/** Where the time of one answer went, milliseconds. Stages may overlap. */
export interface Stopwatch {
  /** Runs `task` and counts its time, failed or not. */
  time<T>(stage: Stage, task: () => Promise<T>): Promise<T>;
  /** What was counted so far, those stages that were run, and `total` since the beginning. */
  read(): Partial<Record<Stage, number>> & { total: number };
}

/** @param clock milliseconds. Workers stop theirs while no answer from outside arrives: what only computes takes 0. */
export function createStopwatch(clock: () => number): Stopwatch {
  const startedAtMillis = clock();
  const stages: Partial<Record<Stage, number>> = {};
  return {
    async time(stage, task) {
      const beganAtMillis = clock();
      try {
        return await task();
      } finally {
        stages[stage] = (stages[stage] ?? 0) + clock() - beganAtMillis;
      }
    },
    read: () => ({ ...stages, total: clock() - startedAtMillis }),
  };
}

/** The stages that go out, which are those of the server and not of the client's network. */
const SHOWN = ['quota', 'sign', 'store', 'total'] as const;

/** The value of `Server-Timing`: names and durations. @see https://www.w3.org/TR/server-timing/ */
export function serverTiming(watch: Stopwatch): string {
  const durations = watch.read();
  return SHOWN.flatMap((stage) => {
    const millis = durations[stage];
    return millis === undefined ? [] : [`${stage};dur=${Math.max(0, Math.round(millis * 10) / 10)}`];
  }).join(', ');
}
