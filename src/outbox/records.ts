/**
 * What the database shall hold and has not confirmed yet: the desired state, of which each write takes all.
 *
 * A write is one transaction. What changed is written at once while changes are rare, and once a second while they are
 * not: the outbox then loses at most a second to a crash. What a transaction could not do stays wanted, so nothing has
 * to remember what failed.
 */
import { within } from '../pipeline/alarm.js';
import type { Platform, Stop, Store, StoreKey } from '../platform/platform.js';

export interface RecordsDeps {
  store: Store;
  /** Resolves once this page is known to live. Nothing is written before: it could be taken for that of a dead one. */
  ready: Promise<void>;
  platform: Pick<Platform, 'after' | 'monotonic'>;
  /** Called before each write, to say what changed. */
  collect(): void;
  failed(error: unknown): void;
}

export interface Wanted {
  readonly key: StoreKey;
  /** Undefined: nothing, neither there nor below. */
  readonly value: unknown;
}

export interface Records {
  /** The database shall hold `value` under `key`; undefined: nothing there, nor below. Written soon. */
  want(key: StoreKey, value: unknown): void;
  /** Something is to be collected soon. */
  touch(): void;
  /** Writes now. Resolves when all that was wanted is in the database, or it has failed or does not answer. */
  save(): Promise<void>;
  /** What the database may not hold as it should. */
  unconfirmed(): Wanted[];
  /** From here on others may take what is there: until {@link resume} nothing is written but by {@link save}. */
  suspend(): void;
  resume(ready: Promise<void>): void;
  close(): Promise<void>;
}

/** So many writes may follow one another closely; one more may for each second that passes. */
const BURST = 10;
const GAP_MILLIS = 100;
const STEADY_MILLIS = 1_000;
/** Longer than any transaction takes in a browser that is well; what waits for it is then sent all the same. */
const PATIENCE_MILLIS = 1_000;

const nameOf = (key: StoreKey): string => key.join('\n');

export function createRecords(deps: RecordsDeps): Records {
  const { store, platform } = deps;
  const wanted = new Map<string, Wanted>();
  let { ready } = deps;
  let isSuspended = false;
  let tokens = BURST;
  let wroteAtMillis = platform.monotonic();
  let timer: Stop | undefined;
  let writing: Promise<void> | undefined;
  /** The last transaction has failed: deletes go first, alone, as it may be room that is missing. */
  let isFailing = false;

  const set = (key: StoreKey, value: unknown): void => {
    const name = nameOf(key);
    if (value === undefined) {
      for (const other of wanted.keys()) if (other.startsWith(`${name}\n`)) wanted.delete(other);
    }
    wanted.set(name, { key, value });
  };

  const write = async (): Promise<void> => {
    deps.collect();
    const batch = [...wanted];
    const deletes = batch.filter(([, { value }]) => value === undefined);
    const puts = batch.filter(([, { value }]) => value !== undefined);
    const steps = isFailing && deletes.length && puts.length ? [deletes, puts] : [batch];
    try {
      await ready;
      for (const step of steps) {
        await store.write({
          deletes: step.filter((one) => deletes.includes(one)).map(([, { key }]) => key),
          puts: step.filter((one) => puts.includes(one)).map(([, { key, value }]) => [key, value]),
        });
        for (const [name, one] of step) if (wanted.get(name) === one) wanted.delete(name);
      }
      isFailing = false;
    } catch (error) {
      isFailing = true;
      deps.failed(error);
    }
  };

  const begin = (): Promise<void> => {
    timer?.();
    timer = undefined;
    const now = platform.monotonic();
    tokens = Math.min(BURST, tokens + (now - wroteAtMillis) / STEADY_MILLIS) - 1;
    wroteAtMillis = now;
    // One that hangs keeps nobody waiting: what it was to do stays wanted, and the next does it too.
    const mine = within(platform, PATIENCE_MILLIS, write()).then(() => {
      if (writing === mine) writing = undefined;
    });
    writing = mine;
    return mine;
  };

  const self: Records = {
    want(key, value) {
      set(key, value);
      self.touch();
    },
    touch() {
      if (isSuspended || timer) return;
      const waited = platform.monotonic() - wroteAtMillis;
      const gap = tokens + waited / STEADY_MILLIS >= 1 ? GAP_MILLIS : STEADY_MILLIS;
      timer = platform.after(Math.max(0, gap - waited), () => {
        timer = undefined;
        if (writing) void writing.then(self.touch);
        else void begin();
      });
    },
    async save() {
      const hasWaited = writing !== undefined;
      // What is under way may have begun before what is wanted now.
      while (writing) await writing;
      // By now another page may have taken what is there; what is missing is in the note.
      if (!hasWaited || !isSuspended) await begin();
    },
    unconfirmed() {
      deps.collect();
      return [...wanted.values()];
    },
    suspend() {
      isSuspended = true;
      timer?.();
      timer = undefined;
    },
    resume(held) {
      isSuspended = false;
      ready = held;
      if (wanted.size) self.touch();
    },
    async close() {
      timer?.();
      timer = undefined;
      await self.save();
      isSuspended = true;
      store.close();
    },
  };
  return self;
}
