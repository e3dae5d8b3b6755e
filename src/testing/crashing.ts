/** Runs of the command that are killed at any step, or lose the store for a moment. For tests only. */
import fc from 'fast-check';
import { type Storage, StorageError } from '../server/storage.js';
import type { TestBucket } from './bucket.js';

/** One that runs, and may be killed. */
export interface Runner {
  /** How far its clock is off, milliseconds. */
  skewMillis: number;
  /** The step of its own at which it is killed, or the store fails it, by number. */
  diesAt: number | undefined;
  failsAt: number[];
  /** Whether a failure comes after the store has acted. */
  isLate: boolean;
}

export const runnerFields = (mostSteps: number): { [K in keyof Runner]: fc.Arbitrary<Runner[K]> } => ({
  skewMillis: fc.integer({ min: -25_000, max: 25_000 }),
  diesAt: fc.option(fc.integer({ min: 1, max: mostSteps }), { nil: undefined }),
  failsAt: fc.array(fc.integer({ min: 1, max: mostSteps }), { maxLength: 6 }),
  isLate: fc.boolean(),
});

/** Numbers from a seed, so that a failure can be played again. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export async function yields(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await Promise.resolve();
}

/** A bucket as such a runner sees it: each use takes its time, and some fail. */
export interface Mortal {
  readonly storage: Storage;
  readonly isDead: boolean;
  /** Something else that counts as a step, and takes up to so many turns. */
  step(turns: number): Promise<void>;
}

/**
 * @param next numbers from 0 to 1.
 * @param noted hears that a note was written.
 */
export function mortal(
  world: { bucket: TestBucket; nowMillis: number },
  runner: Runner,
  next: () => number,
  noted: () => void,
): Mortal {
  let steps = 0;
  let isDead = false;
  const trouble = (): void => {
    isDead ||= steps === runner.diesAt;
    if (isDead) throw new StorageError('killed', { httpStatus: 400 });
    if (runner.failsAt.includes(steps)) throw new StorageError('down', { httpStatus: 503 });
  };
  const step = async (turns: number): Promise<void> => {
    steps += 1;
    await yields(Math.floor(next() * turns));
  };
  const storage = world.bucket.view({
    before: async () => {
      await step(20);
      world.nowMillis += Math.floor(next() * 200);
      if (!runner.isLate) trouble();
    },
    after: (method, key) => {
      if (method === 'put' && key.includes('/done/')) noted();
      if (runner.isLate) trouble();
    },
  });
  return {
    storage,
    step,
    get isDead() {
      return isDead;
    },
  };
}
