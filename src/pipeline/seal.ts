/** Makes blobs of span groups: stages 2 (encode) and 3 (compress), in slices, or at once while the page leaves. */
import { sumOf } from '../json.js';
import type { Platform } from '../platform/platform.js';
import type { DropReason, EncodedTrace, OnDropped, ReadableSpan, SealedBlob, SpanGroup } from './model.js';

export interface SealerDeps {
  platform: Platform;
  /** Names a blob. */
  newId(): string;
  encode(group: SpanGroup, onDropped: OnDropped): EncodedTrace | undefined;
  encodeSliced(
    group: SpanGroup,
    onDropped: OnDropped,
    pause: () => Promise<void>,
    clock: () => number,
  ): Promise<EncodedTrace | undefined>;
  bodyOf(traces: readonly EncodedTrace[]): string;
  gzip(json: string): Promise<Gzip>;
  gzipNow(json: string): Gzip;
  /** Takes the blob; resolves when it is durable. `items`: what it was made of; `lane`: whose they are. */
  sealed(blob: SealedBlob, items: SealedItem[], lane: Lane): Promise<unknown>;
  /** These are lost. */
  lost(items: SealedItem[]): void;
  dropped(reason: DropReason, spanCount: number, lane: Lane): void;
  exception(error: unknown): void;
}

/** The delivery for which something is sealed; undefined for all. */
export type Lane = number | undefined;

/** What blobs are made of: spans of this page, and traces that an earlier page had encoded. */
export type SealedItem = ReadableSpan | EncodedTrace;

export interface Gzip {
  bytes: Uint8Array<ArrayBuffer>;
  /** Bytes before compression. */
  rawBytes: number;
}

export interface Sealer {
  /** Takes groups in. Resolves true once all their spans are in durable blobs, false if any was lost. */
  accept(groups: readonly SpanGroup[]): Promise<boolean>;
  /** Takes in what an earlier page had encoded. */
  adopt(traces: readonly EncodedTrace[], lane: Lane): void;
  /** Begins to seal what was accepted, in slices. */
  start(): void;
  /** Seals all that was accepted, in this task. Blobs are split to fit `freeBytes()`, smallest traces first. */
  sealNow(freeBytes: () => number): void;
  /** Gives up all that was accepted. */
  drop(reason: DropReason): void;
  /** Resolves when nothing is left to seal. */
  idle(): Promise<void>;
  /** Spans accepted or adopted, and not yet in a blob. */
  readonly spanCount: number;
  /** Those that count for one delivery; what is for all counts for the first. */
  waitingFor(lane: number): number;
}

/** What a blob should weigh: it fits into the keepalive budget as a whole, with room for a notification. */
const TARGET_BLOB_BYTES = 48 * 1024;
/** Never more text than this in one blob, however well it compresses: readers must inflate it again. */
const MAX_RAW_CHARS = 2 * 1024 * 1024;
/** Realistic browser spans compress about twelvefold; this is a careful first guess. */
const FIRST_RATIO = 8;
/** With less room than this left, splitting a blob further costs more time than it saves spans. */
const MIN_SPLIT_BYTES = 2_048;

interface Pending extends SpanGroup {
  lane: Lane;
  spanCount: number;
  /** Undefined until encoded; null when nothing of it could be. */
  encoded?: EncodedTrace | null;
  /** Counted only when the group leaves, so that the ledger holds in between. */
  drops: [DropReason, number][];
  done(safe: boolean): void;
}

const itemsOf = ({ spans, encoded }: Pending): SealedItem[] => (spans.length || !encoded ? spans : [encoded]);

const jsonLength = (group: Pending): number => group.encoded?.json.length ?? 0;

/** @param maxTracesPerBlob 1 gives strictly one object per trace. */
export function createSealer(deps: SealerDeps, maxTracesPerBlob: number): Sealer {
  const { platform } = deps;
  let pending: Pending[] = [];
  let spanCount = 0;
  let working: Promise<void> | undefined;
  /** Rises when pending groups are taken over from the work in progress. */
  let epoch = 0;
  let ratio = FIRST_RATIO;

  const targetChars = (): number => Math.min(MAX_RAW_CHARS, TARGET_BLOB_BYTES * ratio);

  const seal = (groups: readonly Pending[], { bytes, rawBytes }: Gzip): Promise<unknown> => {
    const summaries = groups.flatMap(({ encoded }) => (encoded ? [encoded.summary] : []));
    ratio = (3 * ratio + rawBytes / bytes.length) / 4;
    const blob: SealedBlob = {
      id: deps.newId(),
      bytes,
      rawBytes,
      spanCount: sumOf(summaries, (summary) => summary.spanCount),
      error: summaries.some((summary) => summary.error),
      traces: summaries,
      sealedAtMillis: platform.now(),
    };
    return deps.sealed(blob, groups.flatMap(itemsOf), groups[0]?.lane);
  };

  /** Takes groups off the pending ones: their spans are in a blob now, or lost. */
  const remove = (groups: readonly Pending[]): void => {
    const gone = new Set(groups);
    pending = pending.filter((group) => !gone.has(group));
    for (const group of groups) {
      spanCount -= group.spanCount;
      for (const [reason, count] of group.drops) deps.dropped(reason, count, group.lane);
      if (group.drops.length) deps.lost(itemsOf(group));
    }
  };

  /** The leading groups that make one blob; all must be encoded. */
  const nextPack = (groups: readonly Pending[]): Pending[] => {
    const pack: Pending[] = [];
    let chars = 0;
    let traces = 0;
    for (const group of groups) {
      const length = jsonLength(group);
      if (group.lane !== groups[0]?.lane) break;
      if (length && traces && (traces >= maxTracesPerBlob || chars + length > targetChars())) break;
      pack.push(group);
      chars += length;
      if (length) traces++;
    }
    return pack;
  };

  const bodyOf = (groups: readonly Pending[]): string =>
    deps.bodyOf(groups.flatMap(({ encoded }) => (encoded ? [encoded] : [])));

  const work = async (): Promise<void> => {
    const current = epoch;
    while (pending.length) {
      let chars = 0;
      const ahead: Pending[] = [];
      for (const group of pending) {
        if (group.encoded === undefined) {
          await group.spans[0]?.resource?.waitForAsyncAttributes?.()?.catch(() => {});
          const drops: [DropReason, number][] = [];
          const onDropped: OnDropped = (...drop) => void drops.push(drop);
          const encoded = await deps.encodeSliced(group, onDropped, platform.yieldToMain, platform.monotonic);
          if (current !== epoch) return;
          group.encoded = encoded ?? null;
          group.drops = drops;
        }
        ahead.push(group);
        chars += jsonLength(group);
        if (chars > targetChars()) break;
      }
      const pack = nextPack(ahead);
      // Even CompressionStream works here for some milliseconds, which must not come on top of the encoding.
      await platform.yieldToMain();
      if (current !== epoch) return;
      const gzip = pack.some(jsonLength) ? await deps.gzip(bodyOf(pack)) : undefined;
      if (current !== epoch) return;
      remove(pack);
      if (gzip) await seal(pack, gzip);
      for (const group of pack) group.done(!group.drops.length);
      // Small bodies are compressed in this very task; many of them must not make it a long one.
      if (pending.length) await platform.yieldToMain();
    }
  };

  /** Halves the groups until each half fits. Groups stay pending until their bytes are there, whatever throws. */
  const sealWithin = (groups: readonly Pending[], freeBytes: () => number): void => {
    const gzip = groups.some(jsonLength) ? deps.gzipNow(bodyOf(groups)) : undefined;
    const half = groups.length >> 1;
    if (gzip && half && freeBytes() > MIN_SPLIT_BYTES && gzip.bytes.length > freeBytes()) {
      sealWithin(groups.slice(0, half), freeBytes);
      sealWithin(groups.slice(half), freeBytes);
      return;
    }
    remove(groups);
    if (gzip) void seal(groups, gzip);
    for (const group of groups) group.done(!group.drops.length);
  };

  const self: Sealer = {
    accept(groups) {
      const safe = groups.map((group) => {
        const count = group.spans.length;
        spanCount += count;
        return new Promise<boolean>((done) =>
          pending.push({ ...group, lane: undefined, spanCount: count, drops: [], done }),
        );
      });
      return Promise.all(safe).then((results) => results.every(Boolean));
    },
    adopt(traces, lane) {
      for (const encoded of traces) {
        const { traceId, spanCount: count } = encoded.summary;
        spanCount += count;
        pending.push({ traceId, spans: [], lane, spanCount: count, encoded, drops: [], done() {} });
      }
    },
    start() {
      working ??= work()
        .catch((error) => {
          deps.exception(error);
          // Not tried again: it would throw again.
          self.drop('unencodable');
        })
        .finally(() => {
          working = undefined;
          if (pending.length) self.start();
        });
    },
    sealNow(freeBytes) {
      if (!pending.length) return;
      epoch++;
      for (const group of pending) {
        if (group.encoded !== undefined) continue;
        group.encoded = deps.encode(group, (...drop) => void group.drops.push(drop)) ?? null;
      }
      let groups = [...pending].sort(
        (a, b) => (a.lane ?? -1) - (b.lane ?? -1) || jsonLength(a) - jsonLength(b),
      );
      while (groups.length) {
        const pack = nextPack(groups);
        sealWithin(pack, freeBytes);
        groups = groups.slice(pack.length);
      }
    },
    drop(reason) {
      epoch++;
      const groups = pending;
      for (const group of groups) group.drops = [[reason, group.spanCount]];
      remove(groups);
      for (const group of groups) group.done(false);
    },
    async idle() {
      while (working) await working;
    },
    get spanCount() {
      return spanCount;
    },
    waitingFor: (wanted) => sumOf(pending, ({ lane = 0, spanCount }) => (lane === wanted ? spanCount : 0)),
  };
  return self;
}
