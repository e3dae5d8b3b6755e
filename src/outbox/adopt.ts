/**
 * Takes over what pages that are gone have left: applies their last words to the database, and reads their blobs. The
 * records stay where they are, under the page that wrote them, until each blob is stored: a page that adopts and is gone
 * as well leaves everything as it found it. One page of the origin does this at a time.
 */

import { bornAt, type TraceBlob } from '../pipeline/model.js';
import type { Notes, Store, StoreKey } from '../platform/platform.js';
import { blobOf, FORMAT } from './format.js';
import { upgrade } from './format-1.js';
import { applyNote, noteName } from './note.js';

export interface AdoptDeps {
  store: Store;
  notes: Notes | undefined;
  place: string;
  now(): number;
  randomBytes(count: number): Uint8Array;
  /** Names of living pages; undefined where nobody can tell. */
  living(): Promise<ReadonlySet<string> | undefined>;
  /** Runs `task` unless another page runs the like. */
  alone(task: () => Promise<void>): Promise<unknown>;
  /** Whether this page has the blob already. */
  has(id: string): boolean;
  blob(blob: TraceBlob): void;
  /** Takes a receipt of which the server has not been told. */
  told(receipt: unknown, forget: () => void): void;
  /** A record is none that we can read. It is kept apart for a while. */
  corrupt(): void;
}

/** Where nobody can tell whether a page lives, what it left this long ago is nobody's. */
const SURELY_GONE_MILLIS = 24 * 60 * 60_000;
/** Records that we could not read are kept for whoever looks into the matter. */
const MAX_QUARANTINE = 16;

export async function adopt(deps: AdoptDeps): Promise<void> {
  const { store, notes, place } = deps;
  await deps.alone(async () => {
    const living = await deps.living();
    const isGone = (page: string, id?: string): boolean =>
      living ? !living.has(page) : !(bornAt(id ?? page) > deps.now() - SURELY_GONE_MILLIS);
    await forgetDenied(deps);
    await upgrade({ ...deps, isGone });
    const prefix = noteName(place, '');
    const named = (notes?.names(prefix) ?? []).map((name) => name.slice(prefix.length));
    // The names of other places may begin the same.
    const pages = new Set(named.filter((page) => !page.includes(' ')));
    for (const page of pages) if (isGone(page)) await applyNote(deps, page);
    for (const [, , page] of await store.keys([FORMAT, place])) pages.add(page as string);
    for (const page of pages) {
      if (!isGone(page)) continue;
      const found = new Map<string, Map<string, unknown>>();
      for (const [[, , , id = '', name = ''], value] of await store.read([FORMAT, place, page])) {
        found.set(id, (found.get(id) ?? new Map<string, unknown>()).set(name, value));
      }
      for (const [id, records] of found) if (isGone(page, id)) await take(deps, page, id, records);
    }
  });
}

/** Deletes what was kept before the user last denied, and could not be deleted then: of whatever page and place. */
async function forgetDenied({ store, notes, place }: AdoptDeps): Promise<void> {
  const [denials] = /^since denial \d+ /.exec(place) ?? [];
  if (!denials) return;
  const old = new Map<string, StoreKey>();
  for (const [first = '', second = ''] of await store.keys([])) {
    const key = first === FORMAT ? [first, second] : [first];
    if (!key.at(-1)?.startsWith(denials)) old.set(key.join('\n'), key);
  }
  if (old.size) await store.write({ deletes: [...old.values()] });
  const prefix = noteName('', '').trimEnd();
  for (const name of notes?.names(prefix) ?? [])
    if (!name.startsWith(`${prefix} ${denials}`)) notes?.delete(name);
}

async function take(
  deps: AdoptDeps,
  page: string,
  id: string,
  records: ReadonlyMap<string, unknown>,
): Promise<void> {
  const key: StoreKey = [FORMAT, deps.place, page, id];
  const receipt = records.get('told');
  if (receipt) return deps.told(receipt, () => void deps.store.write({ deletes: [key] }).catch(() => {}));
  if (deps.has(id)) return;
  const { blob, corrupt } = blobOf(page, id, records);
  for (const name of corrupt) await quarantine(deps, [...key, name], records.get(name));
  if (blob) deps.blob(blob);
}

async function quarantine({ store, corrupt }: AdoptDeps, key: StoreKey, record: unknown): Promise<void> {
  corrupt();
  const kept = await store.keys(['quarantine']);
  await store.write({
    deletes: [key, ...kept.slice(0, Math.max(0, kept.length + 1 - MAX_QUARANTINE))],
    puts: [[['quarantine', ...key], record]],
  });
}
