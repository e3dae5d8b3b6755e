/**
 * Rewrites what pages of version 0.1.0 left as records of today's format, under the same pages: `outbox-record.ts` and
 * `outbox-last-words.ts` of that version say what they wrote. A blob keeps its id, and the token of the object that it
 * may have become; the endpoint knows what a token stands for.
 */

import type { Part, SpanTexts, TraceSummary } from '../pipeline/model.js';
import type { Notes, Store, StoreKey } from '../platform/platform.js';
import { uuidv7 } from '../platform/uuid.js';
import { type BlobRecord, FORMAT, type StateRecord } from './format.js';
import { bytesOf } from './note.js';

export interface UpgradeDeps {
  store: Store;
  notes: Notes | undefined;
  place: string;
  isGone(page: string): boolean;
  now(): number;
  randomBytes(count: number): Uint8Array;
}

interface OldState {
  attempts?: number;
  notBeforeMillis?: number;
  claim?: { token?: string };
}
interface OldBlob extends Omit<BlobRecord, 'bytes'> {
  bytes?: Uint8Array<ArrayBuffer>;
  base64?: string;
  seq: number;
}
interface OldWords {
  blobs: Record<string, { state?: OldState; record?: OldBlob }>;
  /** All records of spans up to this number are in blobs. */
  sealed: number;
  tail: string;
  gone?: string[];
}
interface OldTrace {
  /** Elements of `resourceSpans`, joined by commas. */
  json: string;
  summary: TraceSummary;
}
interface OldResource {
  scopeSpans: { spans: unknown[] }[];
}

/** @throws what the database says. */
export async function upgrade(deps: UpgradeDeps): Promise<void> {
  const { store, notes, place } = deps;
  const lane = place.replace(/^(since denial \d+ )?/, '$1to ');
  const prefix = `spandrel-1 ${lane} `;
  const keys = await store.keys([lane]);
  const pages = new Set(keys.map(([, page]) => page as string));
  for (const name of notes?.names(prefix) ?? []) {
    const page = name.slice(prefix.length);
    // The names of other places may begin the same.
    if (!page.includes(' ')) pages.add(page);
  }
  for (const page of pages) {
    if (!deps.isGone(page)) continue;
    const words = wordsOf(notes?.get(prefix + page));
    const records = await store.read([lane, page]);
    // In one transaction: a page that is gone in the middle of it leaves everything as it was.
    await store.write({ deletes: [[lane, page]], puts: rewritten(deps, page, records, words) });
    notes?.delete(prefix + page);
  }
}

function rewritten(
  deps: UpgradeDeps,
  page: string,
  records: readonly (readonly [StoreKey, unknown])[],
  words: OldWords | undefined,
): [StoreKey, unknown][] {
  const puts: [StoreKey, unknown][] = [];
  const own = (id: string, name: string): StoreKey => [FORMAT, deps.place, page, id, name];
  const gone = new Set([...(words?.gone ?? []), ...(words && words.sealed >= 0 ? [words.tail] : [])]);
  const of = (kind: string): Map<string, unknown> =>
    new Map(records.flatMap(([key, value]) => (key[2] === kind ? [[key[3] as string, value] as const] : [])));
  const states = of('state');
  const noted = of('noted');
  const blobs = new Map([...of('blob')].filter(([id]) => !gone.has(id)));
  for (const [id, { record, state }] of Object.entries(words?.blobs ?? {})) {
    if (state) states.set(id, state);
    if (record && !noted.has(id)) blobs.set(id, record);
  }
  for (const [id, value] of blobs) {
    const { base64, bytes = base64 && bytesOf(base64), ...rest } = (value ?? {}) as OldBlob;
    const { attempts = 0, notBeforeMillis = 0, claim } = (states.get(id) ?? {}) as OldState;
    const state: StateRecord = {
      ...{ seq: rest.seq, attempts, notBeforeMillis, again: true, upload: undefined },
      // One without a claim may have gone by the relay under its own id.
      token: claim?.token ?? '',
    };
    puts.push([own(id, 'blob'), { ...rest, bytes }], [own(id, 'state'), state]);
  }
  let number = 0;
  const id = uuidv7(deps.now(), deps.randomBytes(10));
  for (const [serial, value] of of('spans')) {
    if (words && words.sealed >= 0 && !(Number(serial) > words.sealed)) continue;
    const part = partOf((value as { traces?: OldTrace[] } | undefined)?.traces ?? []);
    if (part) puts.push([own(id, String(++number).padStart(4, '0')), part]);
  }
  return puts;
}

function partOf(traces: readonly OldTrace[]): Part | undefined {
  try {
    const texts = traces.flatMap(({ json }) => (JSON.parse(`[${json}]`) as OldResource[]).flatMap(textsOf));
    return texts.length ? { texts, traces: traces.map(({ summary }) => summary) } : undefined;
  } catch {
    return undefined;
  }
}

function textsOf({ scopeSpans, ...resource }: OldResource): SpanTexts[] {
  return scopeSpans.map(({ spans, ...scope }) => ({
    resource: `${JSON.stringify(resource).slice(0, -1)},"scopeSpans":[`,
    scope: `${JSON.stringify(scope).slice(0, -1)},"spans":[`,
    spans: JSON.stringify(spans).slice(1, -1),
  }));
}

function wordsOf(text: string | undefined): OldWords | undefined {
  try {
    const words = JSON.parse(text ?? 'null') as OldWords | null;
    return typeof words?.blobs === 'object' ? words : undefined;
  } catch {
    return undefined;
  }
}
