import type { Platform, Stop, Store, Tabs } from './platform.js';

/** Timers of a hidden page run once a minute. */
const PAGE_MILLIS = 180_000;
/** A page that dies in a task keeps the others from theirs for no longer. */
const TASK_MILLIS = 30_000;
const RENEW_MILLIS = 20_000;
const LOOK_AGAIN_MILLIS = 1_000;

const nothing: Stop = () => {};

/**
 * Tabs where there are no Web Locks: records `['lease', what, name of the page]` that say until when they are good,
 * in milliseconds of the wall clock, renewed while the page lives.
 *
 * Who wants something writes a record and then looks for another's: of two, the later sees the earlier. A task gives
 * way, the page that the name belongs to waits. What is not atomic: after timers have stood still for longer than a
 * record is good (a machine asleep, a frozen page), or the clock was set, two may go on at once.
 *
 * When the store fails, `hold` resolves, and `ifDead` and `alone` reject without having run.
 */
export function createLeaseTabs(
  name: string,
  store: Store,
  { now, after }: Pick<Platform, 'now' | 'after'>,
): Tabs {
  let page: { announced: Promise<unknown>; withdraw: Stop } | undefined;
  let closed = false;
  const running = new Set<string>();

  const claim = (what: string, goodMillis: number): NonNullable<typeof page> => {
    const key = ['lease', what, name];
    let stopTimer = nothing;
    const renew = (): Promise<unknown> => {
      stopTimer = after(RENEW_MILLIS, () => void renew().catch(nothing));
      return store.write({ puts: [[key, now() + goodMillis]] });
    };
    return {
      announced: renew(),
      withdraw() {
        stopTimer();
        store.write({ deletes: [key] }).catch(nothing);
      },
    };
  };

  /** Whether another's record is good. Those that are not are deleted. */
  const contested = async (what: string): Promise<boolean> => {
    const records = await store.read(['lease', what], 100);
    const others = records.filter(([key]) => key[2] !== name);
    const dead = others.filter(([, until]) => {
      const leftMillis = Number(until) - now();
      // Too long is from before the clock was set back.
      return !(leftMillis > 0 && leftMillis <= PAGE_MILLIS);
    });
    if (dead.length) await store.write({ deletes: dead.map(([key]) => key) });
    return dead.length < others.length;
  };

  const unlessClaimed = async (what: string, task: () => Promise<void>): Promise<boolean> => {
    if (running.has(what)) return false;
    running.add(what);
    const { announced, withdraw } = claim(what, TASK_MILLIS);
    try {
      await announced;
      if (await contested(what)) return false;
      await task();
      return true;
    } finally {
      withdraw();
      running.delete(what);
    }
  };

  const release = (): void => {
    page?.withdraw();
    page = undefined;
  };
  return {
    name,
    async hold() {
      if (closed) return;
      page ??= claim(name, PAGE_MILLIS);
      const held = page;
      try {
        await held.announced;
        while (page === held && (await contested(name))) {
          await new Promise<void>((resolve) => void after(LOOK_AGAIN_MILLIS, resolve));
        }
      } catch {
        // Nothing was stored that another page could take.
      }
    },
    release,
    ifDead: unlessClaimed,
    alone: unlessClaimed,
    close() {
      closed = true;
      release();
    },
  };
}
