/**
 * Everything that ended and is not known to be stored: in memory, and in the database where there is one.
 *
 * | key, below format, place and page | value |
 * | --- | --- |
 * | blob id, part number   | {@link Part}: spans that ended, as text. Only ever added to |
 * | blob id, `blob`        | {@link BlobRecord}: all of its parts as bytes, in their place, once an attempt has failed or the page was left |
 * | blob id, `state`       | {@link StateRecord}: what changes; absent until something has |
 * | blob id, `told`        | the receipt of a stored blob of which the server has not been told, in place of all else |
 * | `owed`, `told`         | what else the page could not tell |
 *
 * Place: where the page sends to. A record says under which id its spans are sent, from the first moment on, and a page
 * that may be taken for dead adds nothing to it. So whoever sends them, of the page that made them, the one that adopts
 * them and the browser itself, writes one and the same object.
 */

import { sumOf } from '../json.js';
import type { EncodedSpan } from '../pipeline/encode.js';
import { type DropReason, newBlob, type Part, type TraceBlob, type Upload } from '../pipeline/model.js';
import { addSpan, count } from '../pipeline/pack.js';
import type { Platform, Store, Tabs } from '../platform/platform.js';
import { uuidv7 } from '../platform/uuid.js';
import { type BlobRecord, FORMAT, type StateRecord } from './format.js';
import { noteName, writeNote } from './note.js';
import { createRecords, type Records } from './records.js';

/** See `ExporterOptions`. */
export type OutboxLimits = Record<'maxOutboxBlobs' | 'maxOutboxBytes' | 'maxOutboxAgeMillis', number>;

export interface OutboxDeps {
  platform: Platform;
  /** Names where the page sends to: what it leaves is sent by pages that send there too. */
  place: string;
  /** Epoch milliseconds by the server's clock, as far as it is known: what ids are made of. */
  now(): number;
  /** A blob is lost. */
  lost(blob: TraceBlob, reason: DropReason): void;
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
  /** By id. */
  readonly blobs: Map<string, TraceBlob>;
  /** Begins a blob; `upload`: what it is to be sent with. */
  open(upload: Upload | undefined): TraceBlob;
  /** Puts a span into an open blob. */
  add(blob: TraceBlob, span: EncodedSpan): void;
  /** Puts all of another blob into one that nobody has sent. */
  absorb(into: TraceBlob, other: TraceBlob): void;
  /** Its attempts, its upload or what is known of it has changed; `failed`: its bytes are kept for longer now. */
  changed(blob: TraceBlob): void;
  /** Forgets a blob; `reason`: it is lost; `receipt`: it is stored, which is kept until the server has been told. */
  remove(blob: TraceBlob, reason?: DropReason, receipt?: unknown): void;
  /** What a later page is to tell the server, in place of what it was before. */
  owe(told: unknown): void;
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
  /** Ends the database. What it holds is another page's now; the rest is lost, for `reason`. */
  close(reason: DropReason): Promise<void>;
}

export function createOutbox(deps: OutboxDeps, limits: OutboxLimits): Outbox {
  const { platform, place } = deps;
  const { notes } = platform;
  const store = platform.openStore();
  const tabs = store && platform.openTabs(store);
  const page = tabs?.name ?? uuidv7(platform.now(), platform.randomBytes(10));
  const blobs = new Map<string, TraceBlob>();
  /** Those whose last part is not written down. */
  const growing = new Set<TraceBlob>();
  let isSuspended = false;
  let isClosed = false;
  let isOwing = false;

  const want = (blob: TraceBlob, value: unknown, ...name: string[]): void =>
    records?.want([FORMAT, place, blob.page, blob.id, ...name], value);

  // Four digits, as keys are compared as text.
  const write = (blob: TraceBlob, part: Part): void =>
    want(blob, part, String(++blob.partCount).padStart(4, '0'));
  const collect = (): void => {
    for (const blob of growing) write(blob, blob.parts.at(-1) as Part);
    growing.clear();
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

  /** Its bytes are written down in the place of its text. */
  const keepBytes = (blob: TraceBlob): void => {
    const { bytes, rawBytes, traces } = blob;
    if (!bytes || !blob.parts.length) return;
    blob.parts = [];
    growing.delete(blob);
    const record: BlobRecord = { bytes, rawBytes, traces: [...traces.values()] };
    want(blob, undefined);
    want(blob, record, 'blob');
  };

  const self: Outbox = {
    ...{ page, store, tabs, blobs },
    get isSuspended() {
      return isSuspended;
    },
    get isClosed() {
      return isClosed;
    },
    open(upload) {
      const blob = newBlob(uuidv7(deps.now(), platform.randomBytes(10)), page);
      blobs.set(blob.id, blob);
      blob.upload = upload;
      if (upload) self.changed(blob);
      return blob;
    },
    add(blob, span) {
      if (!growing.has(blob)) blob.parts.push({ texts: [], traces: [] });
      growing.add(blob);
      addSpan(blob, blob.parts.at(-1) as Part, span);
      records?.touch();
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
      for (const summary of part.traces) count(into, summary);
      self.remove(other);
      write(into, part);
    },
    changed(blob) {
      const { seq, attempts, notBeforeMillis, isHeld, again, upload, token } = blob;
      // Some tenth of the text, for as long as it has to wait now.
      if (attempts) keepBytes(blob);
      const state: StateRecord = { seq, attempts, notBeforeMillis, isHeld, again, upload, token };
      want(blob, state, 'state');
    },
    remove(blob, reason, receipt) {
      blobs.delete(blob.id);
      growing.delete(blob);
      want(blob, undefined);
      if (receipt) want(blob, receipt, 'told');
      if (reason) deps.lost(blob, reason);
    },
    owe(told) {
      if (told || isOwing) records?.want([FORMAT, place, page, 'owed', 'told'], told);
      isOwing = told !== undefined;
    },
    trim(spared) {
      const all = [...blobs.values()].sort((a, b) => +a.error - +b.error || a.bornAtMillis - b.bornAtMillis);
      const oldest = platform.now() - limits.maxOutboxAgeMillis;
      // What is not compressed takes what its text does.
      const sizeOf = ({ bytes, chars }: TraceBlob): number => bytes?.length ?? chars;
      let total = sumOf(all, sizeOf);
      for (const blob of all) {
        const { bornAtMillis, state } = blob;
        const isOld = bornAtMillis < oldest;
        const isTooMuch = blobs.size > limits.maxOutboxBlobs || total > limits.maxOutboxBytes;
        // What the browser has is the newest, and may be stored yet.
        const isSpared = state === 'open' || state === 'lent' || spared.has(blob);
        if (isSpared || !(isOld || isTooMuch)) continue;
        total -= sizeOf(blob);
        self.remove(blob, isOld ? 'too-old' : 'outbox-full');
      }
    },
    async save() {
      // What is written now, another page may take at once: it must be whole.
      if (!isSuspended) await records?.save();
    },
    suspend(stays) {
      if (records && notes && !stays) {
        const unsaved = new Set(records.unconfirmed().map(({ key }) => key[3]));
        // A note holds little, and bytes are some tenth of the text.
        for (const blob of blobs.values()) {
          if (blob.state === 'lent' || !unsaved.has(blob.id) || !blob.bytes) continue;
          keepBytes(blob);
          self.changed(blob);
        }
        writeNote(notes, noteName(place, page), records.unconfirmed());
      }
      if (!stays) void records?.save();
      records?.suspend();
      tabs?.release();
      isSuspended = true;
    },
    resume() {
      if (!isSuspended) return;
      isSuspended = false;
      if (!tabs || !records) return;
      const said = new Set(records.unconfirmed().map(({ key }) => key[3]));
      records.resume(tabs.hold());
      void records.save().then(() => {
        // What a database that fails or hangs has not taken is still said. Another leaving has said it anew.
        if (notes && !isSuspended)
          writeNote(
            notes,
            noteName(place, page),
            records.unconfirmed().filter(({ key }) => said.has(key[3])),
          );
      });
    },
    dropAll(reason) {
      for (const blob of blobs.values()) self.remove(blob, reason);
    },
    async close(reason) {
      isClosed = true;
      await records?.close();
      tabs?.close();
      const unsaved = new Set(records?.unconfirmed().map(({ key }) => key[3]));
      for (const blob of blobs.values()) {
        if (records && !unsaved.has(blob.id)) deps.handedOver(blob.spanCount);
        else deps.lost(blob, reason);
      }
      blobs.clear();
    },
  };
  return self;
}
