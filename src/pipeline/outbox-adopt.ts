/**
 * Takes over what pages that are gone have left: their blobs, with all that is known of them, and the spans that
 * they had not sealed. One page at a time does this, and each record moves in one transaction, so that a crash at
 * any point leaves every record with exactly one owner.
 */
import type { Notes, Store, StoreKey, Tabs } from '../platform/platform.js';
import type { EncodedTrace, TraceBlob } from './model.js';
import { bytesOf, type LastWords, lastWords, readLastWords } from './outbox-last-words.js';
import { blobOf, recordOf, stateOf, tracesOf } from './outbox-record.js';

export interface AdoptDeps {
  store: Store;
  notes: Notes | undefined;
  tabs: Tabs;
  /** The destination's id: pages with another one are not our business. */
  lane: string;
  now(): number;
  /** Takes a blob that is ours from now on, also in the database. */
  blob(blob: TraceBlob): void;
  /** Takes traces that are to be sealed; they are in our checkpoint under `key`. */
  traces(traces: EncodedTrace[], key: StoreKey): void;
  /** Takes what the destination had kept. */
  owed(name: string, value: unknown): void;
  /** A record is none that we can read. It is kept apart for a while. */
  corrupt(): void;
}

export interface Adopter {
  /** Resolves when nothing is left to take over, or another page is at it. */
  run(): Promise<void>;
  /** Keeps the last words of this page, for whoever comes first: the next page, or this one again. */
  note(
    unsaved: readonly { blob: TraceBlob; whole: boolean }[],
    sealed: number,
    tail: string,
    undeleted?: readonly StoreKey[],
  ): void;
  /**
   * This page was away and is back.
   *
   * @returns whether another page has taken a blob over meanwhile.
   */
  back(): Promise<(blob: TraceBlob, isDurable: boolean) => boolean>;
  /** What was noted is in the database, or taken over: forgets the last words. */
  forgetNote(): void;
  /** Whether another page has taken anything over from this one. What is missing without that was cleared by the user. */
  isTaken(): Promise<boolean>;
}

/** Records in one transaction: some 1.5 MB, so that reading them is no long task. */
const BATCH = 32;
/** Reminders of one page. */
const MAX_OWED = 1_000;
/** The most that IndexedDB takes for a limit. */
const MAX_LIMIT = 2 ** 32 - 1;
/** Records that we could not read are kept for whoever looks into the matter. */
const MAX_QUARANTINE = 16;
/** No outbox may keep anything longer than 30 days. */
const MAX_PAGE_MILLIS = 31 * 24 * 60 * 60_000;

/** What comes before the destination in a lane: after a denial that the database did not hear, its number. */
const eraOf = (lane: string): string | undefined => /^(since denial \d+ )?to /.exec(lane)?.[0];

/** When a page began, from its UUIDv7. NaN when its name is none. */
const bornAt = (page: string): number => Number.parseInt(page.replace('-', '').slice(0, 12), 16);

export function createAdopter({ store, notes, tabs, lane, ...deps }: AdoptDeps): Adopter {
  const own: StoreKey = [lane, tabs.name];
  let noted = new Set<string>();
  const notePrefix = `spandrel-1 ${lane} `;
  const takenKey = (page: string): StoreKey => ['taken', lane, page];

  const quarantine = async (key: StoreKey, record: unknown): Promise<void> => {
    deps.corrupt();
    const kept = await store.keys(['quarantine']);
    await store.write({
      deletes: [key, ...kept.slice(0, Math.max(0, kept.length + 1 - MAX_QUARANTINE))],
      puts: [[['quarantine', ...key], record]],
    });
  };

  const moveBlobs = async (page: string, words: LastWords | undefined): Promise<void> => {
    const from = [lane, page];
    const states = new Map<string, unknown>();
    for (const [key, state] of await store.read([...from, 'state'], MAX_LIMIT)) {
      states.set(key.at(-1) as string, state);
    }
    for (const [id, { state }] of Object.entries(words?.blobs ?? {})) states.set(id, state);

    const take = async (
      found: { key: StoreKey; blob: TraceBlob }[],
      marks: StoreKey[] = [],
    ): Promise<void> => {
      await store.write({
        deletes: found.map(({ key }) => key),
        puts: [
          [takenKey(page), deps.now()],
          ...marks.map((key): [StoreKey, unknown] => [key, deps.now()]),
          ...found.flatMap(({ blob }): [StoreKey, unknown][] => [
            [[...own, 'blob', blob.id], recordOf(blob)],
            [[...own, 'state', blob.id], stateOf(blob)],
          ]),
        ],
      });
      for (const { blob } of found) deps.blob(blob);
    };

    // First, with what the database has of the same blobs, and marked: the note itself cannot go in a transaction.
    const marked = new Set((await store.keys([...from, 'noted'])).map((key) => key.at(-1)));
    const noted: { key: StoreKey; blob: TraceBlob }[] = [];
    for (const [id, { record, state }] of Object.entries(words?.blobs ?? {})) {
      if (!record || marked.has(id)) continue;
      const blob = blobOf(id, { ...record, bytes: bytesOf(record.base64) }, state);
      if (blob) noted.push({ key: [...from, 'blob', id], blob });
      else deps.corrupt();
    }
    if (noted.length) {
      const marks = noted.map(({ blob }) => [...from, 'noted', blob.id]);
      await take(noted, marks);
    }

    const gone = new Set(words?.gone);
    if (words && words.sealed >= 0) gone.add(words.tail);
    for (;;) {
      const records = await store.read([...from, 'blob'], BATCH);
      if (!records.length) break;
      const found: { key: StoreKey; blob: TraceBlob }[] = [];
      for (const [key, record] of records) {
        const id = key.at(-1) as string;
        if (gone.has(id)) {
          await store.write({ deletes: [key] });
          continue;
        }
        const blob = blobOf(id, record, states.get(id));
        if (blob) found.push({ key, blob });
        else await quarantine(key, record);
      }
      if (found.length) await take(found);
    }
  };

  const moveSpans = async (page: string, sealed: number): Promise<void> => {
    for (;;) {
      const [entry] = await store.read([lane, page, 'spans'], 1);
      if (!entry) return;
      const [key, record] = entry;
      // Records that the page had taken over itself are from before its last words too.
      if (sealed >= 0 && !(Number(key.at(-1)) > sealed)) {
        await store.write({ deletes: [key] });
        continue;
      }
      const traces = tracesOf(record);
      if (!traces) {
        await quarantine(key, record);
        continue;
      }
      const ourKey = [...own, 'spans', `${page} ${key.at(-1)}`];
      await store.write({
        deletes: [key],
        puts: [
          [ourKey, record],
          [takenKey(page), deps.now()],
        ],
      });
      deps.traces(traces, ourKey);
    }
  };

  const moveAll = async (page: string): Promise<void> => {
    const words = readLastWords(notes?.get(notePrefix + page));
    await moveBlobs(page, words);
    await moveSpans(page, words?.sealed ?? -1);
    const owed = await store.read([lane, page, 'owed'], MAX_OWED);
    // The marks go after what they are about.
    notes?.delete(notePrefix + page);
    await store.write({ deletes: [[lane, page]] });
    // Not before: what fails is done again.
    for (const [key, value] of owed) deps.owed(key.at(-1) as string, value);
  };

  /** Pages of destinations that no page speaks to any more, marks of long ago, and what the user has denied. */
  const sweep = async (keys: readonly StoreKey[]): Promise<void> => {
    const oldest = deps.now() - MAX_PAGE_MILLIS;
    const stale = keys.filter(
      ([kind, page, third]) => !(bornAt((kind === 'taken' ? third : page) ?? '') > oldest),
    );
    const deletes = stale.filter(([kind]) => kind !== 'quarantine' && kind !== 'lease');
    const isDenied = (place = ''): boolean => (eraOf(place) ?? eraOf(lane)) !== eraOf(lane);
    deletes.push(...keys.filter(([kind, place]) => isDenied(kind) || isDenied(place)));
    if (deletes.length) await store.write({ deletes });
  };

  const self: Adopter = {
    async run() {
      await tabs.alone(lane, async () => {
        const keys = await store.keys([]);
        const pages = new Set([
          ...keys.filter(([first]) => first === lane).map((key) => key[1] as string),
          ...(notes?.names(notePrefix) ?? []).map((name) => name.slice(notePrefix.length)),
        ]);
        pages.delete(tabs.name);
        for (const page of pages) await tabs.ifDead(page, () => moveAll(page));
        await sweep(keys);
      });
    },
    note(unsaved, sealed, tail, undeleted) {
      const text = lastWords(unsaved, sealed, tail, undeleted);
      if (!text) self.forgetNote();
      else if (notes?.set(notePrefix + tabs.name, text)) noted = new Set(unsaved.map(({ blob }) => blob.id));
    },
    async back() {
      const isNoteTaken = noted.size > 0 && notes?.get(notePrefix + tabs.name) === undefined;
      if (!(await self.isTaken())) return () => false;
      const marks = (await store.keys([...own, 'noted'])).map((key) => key.at(-1));
      const gone = isNoteTaken ? noted : new Set(marks);
      const there = new Set((await store.keys([...own, 'blob'])).map((key) => key.at(-1)));
      return ({ id }, isDurable) => (isDurable ? !there.has(id) : gone.has(id));
    },
    forgetNote() {
      noted = new Set();
      notes?.delete(notePrefix + tabs.name);
    },
    isTaken: async () => (await store.read(takenKey(tabs.name), 1)).length > 0,
  };
  return self;
}
