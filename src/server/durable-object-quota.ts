import { inWords, optionError } from './option-check.js';
import type { QuotaAnswer, QuotaStore, QuotaTake } from './quota.js';
import { countTake, type QuotaCount } from './quota-count.js';
import { isObject } from './untrusted-body.js';

/** What is used of a Worker's binding to a Durable Object. */
export interface QuotaNamespace {
  idFromName(name: string): unknown;
  // A method, so that the real one, which wants its own kind of id, fits.
  get(id: never): { fetch(url: string, init: { method: string; body: string }): Promise<Response> };
}

/** What is used of a Durable Object's state; both of its storages have it. */
export interface QuotaObjectState {
  storage: {
    get(keys: string[]): Promise<Map<string, unknown>>;
    put(entries: Record<string, unknown>): Promise<void>;
    delete(keys: string[]): Promise<number>;
    list(options: { limit: number; startAfter?: string }): Promise<Map<string, unknown>>;
    getAlarm(): Promise<number | null>;
    setAlarm(atMillis: number): Promise<void>;
  };
}

/**
 * Counts in Durable Objects, one for each project: exact, wherever in the world a request arrives. One object takes
 * some hundred requests a second, and every take is a request to it and, where something was granted, a row for each
 * budget written. None is forgotten before its window is over; beside `perProject` there can be no more than it grants.
 *
 * @param namespace a binding to {@link QuotaObject}.
 * @throws {TypeError} when it is none.
 */
export function durableObjectQuota(namespace: QuotaNamespace): QuotaStore {
  if (!isObject(namespace) || typeof namespace.idFromName !== 'function') {
    throw optionError('namespace', inWords(namespace), 'a binding to a Durable Object');
  }
  return {
    async take(take) {
      const stub = namespace.get(namespace.idFromName(take.project) as never);
      const response = await stub.fetch('https://quota.invalid/', {
        method: 'POST',
        body: JSON.stringify(take),
      });
      const answer = await response.text();
      if (response.status !== 200) throw new Error(`the quota object answered ${response.status}`);
      return JSON.parse(answer) as QuotaAnswer;
    },
  };
}

/** Most keys that one call takes. @see https://developers.cloudflare.com/durable-objects/api/storage-api/ */
const MAX_KEYS = 128;

/**
 * The Durable Object that counts for {@link durableObjectQuota}; export it from the Worker and bind it. It can be
 * reached through the binding only, and what is past its window is deleted by an alarm.
 */
export class QuotaObject {
  readonly #storage: QuotaObjectState['storage'];
  #isArmed = false;

  constructor(state: QuotaObjectState) {
    this.#storage = state.storage;
  }

  async fetch(request: Request): Promise<Response> {
    const take = (await request.json()) as QuotaTake;
    const nowMillis = Date.now();
    // While the storage is asked no other request is let in, so nothing can come between this read and the write.
    // https://developers.cloudflare.com/durable-objects/reference/in-memory-state/
    const found = await this.#storage.get(take.budgets.map(({ name }) => name));
    const { answer, counts } = countTake(
      take,
      (name) => found.get(name) as QuotaCount | undefined,
      nowMillis,
    );
    if (counts.size > 0) {
      await this.#storage.put(Object.fromEntries(counts));
      await this.#arm(nowMillis + take.windowSeconds * 1_000);
    }
    return Response.json(answer);
  }

  async alarm(): Promise<void> {
    this.#isArmed = false;
    const nowMillis = Date.now();
    let nextMillis = Number.POSITIVE_INFINITY;
    let startAfter: string | undefined;
    for (;;) {
      const page = await this.#storage.list({ limit: MAX_KEYS, ...(startAfter ? { startAfter } : {}) });
      if (page.size === 0) break;
      const over: string[] = [];
      for (const [name, count] of page as Map<string, QuotaCount>) {
        startAfter = name;
        if (count.endsAtMillis <= nowMillis) over.push(name);
        else nextMillis = Math.min(nextMillis, count.endsAtMillis);
      }
      if (over.length > 0) await this.#storage.delete(over);
    }
    if (nextMillis < Number.POSITIVE_INFINITY) await this.#arm(nextMillis);
  }

  async #arm(atMillis: number): Promise<void> {
    if (this.#isArmed) return;
    if ((await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(atMillis);
    this.#isArmed = true;
  }
}
