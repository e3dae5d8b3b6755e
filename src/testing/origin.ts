/** What the pages of one origin share: database, notes and locks. For tests only. */
import type { Notes, Store, StoreKey, Tabs } from '../platform/platform.js';
import { uuidv7 } from '../platform/uuid.js';

type NoteListener = (name: string | null, text: string | null) => void;

export interface TestOrigin {
  /** Records by key, as JSON of the key. */
  readonly records: Map<string, unknown>;
  readonly notes: Map<string, string>;
  /** Locks held. */
  readonly held: Set<string>;
  /** The pages of these names are gone, and with them every lock that they held. */
  free(names: readonly string[]): void;
  /** While set, every use of the database fails with it. */
  storeError: Error | undefined;
  /** While true, no use of the database settles or does anything, unless {@link endHang} says so. */
  storeHangs: boolean;
  /** The database hangs no longer: what was begun meanwhile is made now, in its order, or given up. */
  endHang(isMade: boolean): void;
  /** While true, notes are not kept. */
  notesFull: boolean;
  /** Keys of records, in order. */
  keys(): StoreKey[];
  openStore(): Store;
  /** `page`: who writes there, and does not hear of it. */
  openNotes(page?: object): Notes;
  watch(page: object, listener: NoteListener): () => void;
  unwatch(page: object): void;
  purge(page?: object): Promise<void>;
  openTabs(nowMillis: number, randomBytes: Uint8Array): Tabs;
}

const isBelow = (key: StoreKey, prefix: StoreKey): boolean =>
  prefix.every((part, index) => key[index] === part);

/** As IndexedDB compares array keys of strings. */
function compare(a: StoreKey, b: StoreKey): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left, right] = [a[index] as string, b[index] as string];
    if (left !== right) return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

export function testOrigin(): TestOrigin {
  const records = new Map<string, unknown>();
  const notes = new Map<string, string>();
  const held = new Set<string>();
  /** Locks that a page holds for others' names or for what it does, by its own name. */
  const lent = new Map<string, Set<string>>();
  const hung: ((isMade: boolean) => void)[] = [];
  const watchers = new Set<{ page: object; listener: NoteListener }>();
  const tell = (page: object | undefined, name: string, text: string | null): void => {
    const others = [...watchers].filter((watcher) => watcher.page !== page);
    setImmediate(() => {
      for (const watcher of others) if (watchers.has(watcher)) watcher.listener(name, text);
    });
  };

  const self: TestOrigin = {
    records,
    notes,
    held,
    storeError: undefined,
    storeHangs: false,
    notesFull: false,
    endHang(isMade) {
      self.storeHangs = false;
      for (const end of hung.splice(0)) end(isMade);
    },
    keys: () => [...records.keys()].map((name) => JSON.parse(name) as StoreKey).sort(compare),
    openStore() {
      let closed = false;
      const check = async (): Promise<void> => {
        if (self.storeError) throw self.storeError;
        if (closed) throw new Error('InvalidStateError: closed');
        if (!self.storeHangs) return;
        const isMade = await new Promise<boolean>((resolve) => void hung.push(resolve));
        if (!isMade) throw new Error('AbortError: given up');
      };
      return {
        async write({ puts = [], deletes = [] }) {
          await check();
          const copies = puts.map(([key, value]) => [JSON.stringify(key), structuredClone(value)] as const);
          for (const key of self.keys()) {
            if (deletes.some((prefix) => isBelow(key, prefix))) records.delete(JSON.stringify(key));
          }
          for (const [name, value] of copies) records.set(name, value);
        },
        async keys(prefix) {
          await check();
          return self.keys().filter((key) => isBelow(key, prefix));
        },
        async read(prefix) {
          await check();
          return self
            .keys()
            .filter((key) => isBelow(key, prefix))
            .map((key) => [key, structuredClone(records.get(JSON.stringify(key)))]);
        },
        letGo() {},
        close() {
          closed = true;
        },
      };
    },
    watch(page, listener) {
      const watcher = { page, listener };
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    unwatch(page) {
      for (const watcher of watchers) if (watcher.page === page) watchers.delete(watcher);
    },
    async purge(page) {
      const own = self.openNotes(page);
      for (const name of own.names('spandrel-')) own.delete(name);
      await self.openStore().write({ deletes: [[]] });
    },
    openNotes: (page) => ({
      set(name, text) {
        if (self.notesFull) return false;
        if (notes.get(name) !== text) tell(page, name, text);
        notes.set(name, text);
        return true;
      },
      get: (name) => notes.get(name),
      delete(name) {
        if (notes.delete(name)) tell(page, name, null);
      },
      names: (prefix) => [...notes.keys()].filter((name) => name.startsWith(prefix)),
    }),
    free(names) {
      for (const name of names) {
        for (const lock of [name, ...(lent.get(name) ?? [])]) held.delete(lock);
        lent.delete(name);
      }
    },
    openTabs(nowMillis, randomBytes) {
      const name = uuidv7(nowMillis, randomBytes);
      const borrowed = new Set<string>();
      lent.set(name, borrowed);
      const withLock = async (lock: string, task: () => Promise<void>): Promise<boolean> => {
        if (held.has(lock)) return false;
        held.add(lock);
        borrowed.add(lock);
        try {
          await task();
        } finally {
          // A page that is gone has lost it, perhaps to another.
          if (lent.get(name) === borrowed) held.delete(lock);
          borrowed.delete(lock);
        }
        return true;
      };
      return {
        name,
        async hold() {
          while (held.has(name)) await new Promise((resolve) => setImmediate(resolve));
          held.add(name);
        },
        release: () => void held.delete(name),
        living: async () => new Set(held),
        alone: (lane, task) => withLock(`${lane} adopting`, task),
        close: () => void held.delete(name),
      };
    },
  };
  return self;
}
