import { folderInKey } from '../server/forwarded.js';
import type { ForwardStorage } from './patient-storage.js';

/** The right to work on one folder, while it lasts. */
export interface Lease {
  /** Takes it, or makes sure that it lasts for another {@link MARGIN_MILLIS}. False: another has it. */
  hold(): Promise<boolean>;
  /** Lets it go. */
  release(): Promise<void>;
}

export interface LeaseDeps {
  storage: ForwardStorage;
  statePrefix: string;
  leaseMillis: number;
  /** Epoch milliseconds. */
  now: () => number;
}

/** By how much clocks may differ together with how long one batch may take, at most: beyond, two may send the same. */
export const MARGIN_MILLIS = 60_000;

/**
 * Time is cut into epochs of `leaseMillis`. Who creates `{statePrefix}/leases/{epoch}/{folder}` has the folder for
 * that epoch; creating is all that object stores do for one alone. A forwarder works only while it has both the epoch
 * of a margin ago and that of a margin ahead. So who is slow or ahead by less than a margin meets the other's key.
 * Nobody who dies holds a folder for longer than an epoch and a margin.
 */
export function createLeases({ storage, statePrefix, leaseMillis, now }: LeaseDeps): {
  of(folder: string): Lease;
  /** Removes what forwarders left that died. */
  sweep(): Promise<void>;
} {
  const runner = crypto.randomUUID();
  const prefix = `${statePrefix}/leases/`;
  const epochAt = (atMillis: number): number => Math.floor(atMillis / leaseMillis);
  /** By its first minute: in the order of time, whatever the epoch's length. */
  const folderOf = (epoch: number): string =>
    prefix + new Date(epoch * leaseMillis).toISOString().slice(0, 16).replace(':', '-');

  async function create(key: string): Promise<boolean> {
    const body = new TextEncoder().encode(runner);
    if ((await storage.put(key, body, { contentType: 'text/plain' })) === 'created') return true;
    // An answer may have been lost on its way, and the key is our own.
    const bytes = await storage.get(key, { maxBytes: 1_024 }).catch(() => undefined);
    return bytes !== undefined && new TextDecoder().decode(bytes) === runner;
  }

  return {
    of(folder) {
      /** Keys by their epochs. */
      const owned = new Map<number, string>();
      const dropBefore = async (first: number): Promise<void> => {
        for (const [epoch, key] of owned) {
          if (epoch >= first) continue;
          owned.delete(epoch);
          await storage.delete(key).catch(() => undefined);
        }
      };
      const release = (): Promise<void> => dropBefore(Number.POSITIVE_INFINITY);
      return {
        release,
        async hold() {
          // Creating takes time, and the margin moves on.
          for (;;) {
            const first = epochAt(now() - MARGIN_MILLIS);
            let epoch = first;
            while (owned.has(epoch)) epoch += 1;
            if (epoch > epochAt(now() + MARGIN_MILLIS)) {
              await dropBefore(first);
              return true;
            }
            const key = `${folderOf(epoch)}/${await folderInKey(folder)}`;
            if (await create(key)) owned.set(epoch, key);
            else {
              await release();
              return false;
            }
          }
        },
      };
    },

    async sweep() {
      // An epoch more than needed, for clocks that are behind ours.
      const oldest = folderOf(epochAt(now() - MARGIN_MILLIS) - 1);
      const { objects } = await storage.list(prefix);
      for (const { key } of objects) {
        if (key >= oldest) break;
        await storage.delete(key);
      }
    },
  };
}
