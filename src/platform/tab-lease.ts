import type { Platform, Stop, Store, Tabs } from './platform.js';

/** Timers of a hidden page run once a minute. */
const PAGE_MILLIS = 180_000;
/** A page that dies in a task keeps the others from theirs for no longer. */
const TASK_MILLIS = 30_000;
const RENEW_MILLIS = 20_000;
const LOOK_AGAIN_MILLIS = 1_000;

const nothing: Stop = () => {};

/** A record that is kept good until it is withdrawn. */
interface Claim {
  announced: Promise<unknown>;
  withdraw: Stop;
}

/**
 * Tabs where there are no Web Locks: records `['lease', what, whose]` that say until when they are good, in
 * milliseconds of the wall clock, renewed while the page lives.
 *
 * Who wants something writes a record and then looks for others: of two, the later sees the earlier. A task gives
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
  let page: Claim | undefined;
  let taskCount = 0;

  const claim = (key: string[], goodMillis: number): Claim => {
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
  const contested = async (what: string, own: string): Promise<boolean> => {
    const records = await store.read(['lease', what], 100);
    const others = records.filter(([key]) => key[2] !== own);
    const dead = others.filter(([, until]) => {
      const leftMillis = Number(until) - now();
      // Too long is from before the clock was set back.
      return !(leftMillis > 0 && leftMillis <= PAGE_MILLIS);
    });
    if (dead.length) await store.write({ deletes: dead.map(([key]) => key) });
    return dead.length < others.length;
  };

  const unlessClaimed = async (what: string, task: () => Promise<void>): Promise<boolean> => {
    const own = `${name} ${taskCount++}`;
    const { announced, withdraw } = claim(['lease', what, own], TASK_MILLIS);
    try {
      await announced;
      if (await contested(what, own)) return false;
      await task();
      return true;
    } finally {
      withdraw();
    }
  };

  const release = (): void => {
    page?.withdraw();
    page = undefined;
  };
  return {
    name,
    async hold() {
      page ??= claim(['lease', name, name], PAGE_MILLIS);
      const held = page;
      try {
        await held.announced;
        while (page === held && (await contested(name, name))) {
          await new Promise<void>((resolve) => void after(LOOK_AGAIN_MILLIS, resolve));
        }
      } catch {
        // Nothing was stored that another page could take.
      }
    },
    release,
    ifDead: unlessClaimed,
    alone: unlessClaimed,
    close: release,
  };
}
