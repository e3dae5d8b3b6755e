/**
 * Everything that ended and is not known to be stored: in memory, and in the database where there is one.
 *
 * | key, below format, place and page | value |
 * | --- | --- |
 * | blob id, part number   | {@link Part}: spans that ended, as text. Only ever added to |
 * | blob id, `blob`        | {@link BlobRecord}: all of its parts as bytes, in their place, once a first attempt has failed |
 * | blob id, `state`       | {@link StateRecord}: what changes; absent until something has |
 * | blob id, `told`        | the receipt of a stored blob of which the server has not been told, in place of all else |
 *
 * Place: where the page sends to. A record says under which id its spans are sent, from the first moment on, and a page
 * that may be taken for dead adds nothing to it. So whoever sends them, of the page that made them, the one that adopts
 * them and the browser itself, writes one and the same object.
 */
import type { Notes, Platform, Store, StoreKey, Tabs } from '../../platform/platform.js';
import { uuidv7 } from '../../platform/uuid.js';
import type { EncodedSpan } from '../pipeline/encode.js';
import type { DropReason, Part, TraceBlob, TraceSummary, Upload } from '../pipeline/model.js';
import { addSpan, count } from '../pipeline/pack.js';
import { createRecords, type Records, type Wanted } from './records.js';

/** Of the keys and of the records. Format 1, of version 0.1.0, is read by `format.ts`. */
export const FORMAT = '2';

export type BlobRecord = Pick<TraceBlob, 'rawBytes' | 'spanCount' | 'error'> & {
  bytes: Uint8Array<ArrayBuffer>;
  traces: TraceSummary[];
};

export type StateRecord = Pick<
  TraceBlob,
  'seq' | 'attempts' | 'notBeforeMillis' | 'again' | 'upload' | 'token'
>;

export interface OutboxLimits {
  maxBlobs: number;
  maxBytes: number;
  maxAgeMillis: number;
}

export interface OutboxDeps {
  platform: Platform;
  /** Names where the page sends to: what it leaves is sent by pages that send there too. */
  place: string;
  /** Epoch milliseconds by the server's clock, as far as it is known: what ids are made of. */
  now(): number;
  dropped(reason: DropReason, spanCount: number): void;
  handedOver(spanCount: number): void;
  failed(error: unknown): void;
}

export interface Outbox {
  /** Name of this load of the page: a UUIDv7. */
  readonly page: string;
  readonly store: Store | undefined;
  readonly tabs: Tabs | undefined;
  /** While others may take over what is here. */
  readonly isSuspended: boolean;
  readonly isClosed: boolean;
  failed(error: unknown): void;
  /** By id. */
  readonly blobs: ReadonlyMap<string, TraceBlob>;
  /** Begins a blob; `upload`: what it is to be sent with. */
  open(upload: Upload | undefined): TraceBlob;
  /** Puts a span into an open blob. */
  add(blob: TraceBlob, span: EncodedSpan): void;
  /** Takes in a blob that an earlier page left. */
  adopt(blob: TraceBlob): void;
  /** Puts all of another blob into one that nobody has sent. */
  absorb(into: TraceBlob, other: TraceBlob): void;
  /** Its attempts, its upload or what is known of it has changed; `failed`: its bytes are kept for longer now. */
  changed(blob: TraceBlob): void;
  /** It is stored; `receipt` is kept until the server has been told. */
  stored(blob: TraceBlob, receipt: unknown): void;
  /** Forgets a blob; `reason`: it is lost. */
  remove(blob: TraceBlob, reason?: DropReason): void;
  /** Drops what is too old or too much: oldest first, what has errors last, `spared` not at all. */
  trim(spared: ReadonlySet<TraceBlob>): void;
  save(): Promise<void>;
  /**
   * Others may take over what is here, for it may be that this page is gone. Open blobs must be closed before; what is
   * not in the database is noted down, unless it `stays`.
   */
  suspend(stays?: boolean): void;
  /** This page lives after all. */
  resume(): void;
  /** Forgets all blobs, in the database too. */
  dropAll(reason: DropReason): void;
  /** Ends the database; what is there is for the next page. */
  close(): Promise<void>;
  /** After {@link close}: what the database holds is another page's now, the rest is lost. */
  handOver(reason: DropReason): void;
}

/** Browsers keep some 5 MiB of notes for a whole origin. */
const MAX_NOTE_CHARS = 1024 * 1024;

export const noteName = (place: string, page: string): string => `spandrel-2 ${place} ${page}`;

export function createOutbox(deps: OutboxDeps, limits: OutboxLimits): Outbox {
  const { platform, place } = deps;
  const { notes } = platform;
  const store = platform.openStore();
  const tabs = store && platform.openTabs(store);
  const page = tabs?.name ?? uuidv7(platform.now(), platform.randomBytes(10));
  const blobs = new Map<string, TraceBlob>();
  /** Blobs whose last part is not written down, and how many parts of each were. */
  const growing = new Map<TraceBlob, Part>();
  const written = new WeakMap<TraceBlob, number>();
  let isSuspended = false;
  let isClosed = false;

  const keyOf = (blob: TraceBlob, ...rest: string[]): StoreKey => [
    FORMAT,
    place,
    blob.page,
    blob.id,
    ...rest,
  ];

  const write = (blob: TraceBlob, part: Part): void => {
    const number = (written.get(blob) ?? 0) + 1;
    written.set(blob, number);
    // Four digits, as keys are compared as text.
    records?.want(keyOf(blob, String(number).padStart(4, '0')), part);
  };
  const collect = (): void => {
    const grown = [...growing];
    growing.clear();
    for (const [blob, part] of grown) write(blob, part);
  };
  const records: Records | undefined =
    store &&
    createRecords({
      store,
      ready: tabs?.hold() ?? Promise.resolve(),
      platform,
      collect,
      failed: deps.failed,
    });

  const drop = (blob: TraceBlob): void => {
    blobs.delete(blob.id);
    growing.delete(blob);
  };

  const self: Outbox = {
    ...{ page, store, tabs, blobs, failed: deps.failed },
    get isSuspended() {
      return isSuspended;
    },
    get isClosed() {
      return isClosed;
    },
    open(upload) {
      const bornAtMillis = deps.now();
      const blob: TraceBlob = {
        id: uuidv7(bornAtMillis, platform.randomBytes(10)),
        ...{
          page,
          seq: 0,
          bornAtMillis,
          isAdopted: false,
          isMixed: false,
          state: 'open',
          parts: [],
          traces: new Map(),
        },
        ...{ spanCount: 0, error: false, chars: 0, bytes: undefined, rawBytes: 0 },
        ...{ attempts: 0, notBeforeMillis: 0, again: false, upload, token: undefined },
      };
      blobs.set(blob.id, blob);
      if (upload) self.changed(blob);
      return blob;
    },
    add(blob, span) {
      let part = growing.get(blob);
      if (!part) {
        part = { texts: [], traces: [] };
        blob.parts.push(part);
        growing.set(blob, part);
      }
      addSpan(blob, part, span);
      records?.touch();
    },
    adopt(blob) {
      blobs.set(blob.id, blob);
    },
    absorb(into, other) {
      collect();
      const part: Part = {
        texts: other.parts.flatMap(({ texts }) => texts),
        traces: other.parts.flatMap(({ traces }) => traces),
      };
      into.parts.unshift(part);
      into.chars += other.chars;
      into.bytes = undefined;
      into.isMixed = true;
      for (const summary of other.traces.values()) count(into, summary);
      drop(other);
      records?.want(keyOf(other), undefined);
      write(into, part);
    },
    changed(blob) {
      const { seq, attempts, notBeforeMillis, again, upload, bytes, rawBytes, spanCount, error } = blob;
      if (bytes && attempts && blob.parts.length) {
        // Some tenth of the text, for as long as it has to wait now.
        blob.parts = [];
        growing.delete(blob);
        const record: BlobRecord = {
          bytes,
          rawBytes,
          spanCount,
          error,
          traces: [...blob.traces.values()],
        };
        records?.want(keyOf(blob), undefined);
        records?.want(keyOf(blob, 'blob'), record);
      }
      const state: StateRecord = { seq, attempts, notBeforeMillis, again, upload, token: blob.token };
      records?.want(keyOf(blob, 'state'), state);
    },
    stored(blob, receipt) {
      drop(blob);
      records?.want(keyOf(blob), undefined);
      if (receipt) records?.want(keyOf(blob, 'told'), receipt);
    },
    remove(blob, reason) {
      drop(blob);
      records?.want(keyOf(blob), undefined);
      if (reason) deps.dropped(reason, blob.spanCount);
    },
    trim(spared) {
      const waiting = [...blobs.values()].filter((blob) => blob.bytes && !spared.has(blob));
      const oldest = platform.now() - limits.maxAgeMillis;
      let bytes = 0;
      for (const blob of blobs.values()) bytes += blob.bytes?.length ?? 0;
      waiting.sort((a, b) => Number(a.error) - Number(b.error) || a.bornAtMillis - b.bornAtMillis);
      for (const blob of waiting) {
        const isFull = blobs.size > limits.maxBlobs || bytes > limits.maxBytes;
        if (blob.bornAtMillis >= oldest && !isFull) continue;
        bytes -= blob.bytes?.length ?? 0;
        self.remove(blob, blob.bornAtMillis < oldest ? 'too-old' : 'outbox-full');
      }
    },
    async save() {
      // What is written now, another page may take at once: it must be whole.
      if (!isSuspended) await records?.save();
    },
    suspend(stays) {
      if (records && notes && !stays) writeNote(notes, noteName(place, page), records.unconfirmed());
      if (!stays) void records?.save();
      records?.suspend();
      tabs?.release();
      isSuspended = true;
    },
    resume() {
      if (!isSuspended) return;
      isSuspended = false;
      if (!tabs) return;
      records?.resume(tabs.hold());
      void records?.save().then(() => notes?.delete(noteName(place, page)));
    },
    dropAll(reason) {
      for (const blob of blobs.values()) self.remove(blob, reason);
    },
    handOver(reason) {
      for (const blob of blobs.values()) {
        const isKept = records?.isSaved(keyOf(blob)) ?? false;
        if (isKept) deps.handedOver(blob.spanCount);
        else deps.dropped(reason, blob.spanCount);
      }
      blobs.clear();
    },
    async close() {
      isClosed = true;
      await records?.close();
      tabs?.close();
    },
  };
  return self;
}

/**
 * What the database may not hold, as a redo log: whoever finds it makes it so, as often as it is found. A blob's
 * records are in it together or not at all.
 */
function writeNote(notes: Notes, name: string, wanted: readonly Wanted[]): void {
  const byBlob = new Map<string, [StoreKey, unknown][]>();
  for (const { key, value } of wanted) {
    const id = key[3] as string;
    byBlob.set(id, [...(byBlob.get(id) ?? []), [key, value]]);
  }
  const logs = [...byBlob.values()].map((log) =>
    JSON.stringify(log, (_, value) => (value instanceof Uint8Array ? { base64: base64Of(value) } : value)),
  );
  let room = MAX_NOTE_CHARS;
  const kept = logs
    .sort((a, b) => a.length - b.length)
    .filter((log) => {
      room -= log.length;
      return room >= 0;
    });
  if (!kept.length) notes.delete(name);
  else notes.set(name, `[${kept.join(',')}]`);
}

/** As many arguments as a call may have, with room. */
const CHUNK = 8_192;

function base64Of(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHUNK)
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(binary);
}
