/**
 * Writes ended spans down while they wait in the buffer, so that a crash loses only what ended in its last instants.
 *
 * Spans that end are written at the next idle moment, at most every 100 ms, each once, in records of up to 200. The
 * record goes in the very transaction that writes the blob which holds its spans; while others of it still wait, it
 * is written again without them. What is encoded here is not encoded again.
 */
import type { Stop, StoreKey } from '../platform/platform.js';
import type { EncodedTrace, ReadableSpan, SpanGroup } from './model.js';
import type { WriteQueue } from './outbox-queue.js';
import { FORMAT, type SpansRecord } from './outbox-record.js';

export interface CheckpointDeps {
  whenIdle(millis: number, task: () => void): Stop;
  after(millis: number, task: () => void): Stop;
  /** Losses are not reported: the span is still in the buffer. */
  encode(group: SpanGroup): EncodedTrace | undefined;
  queue: WriteQueue;
  /** What our records are below: lane and page. */
  prefix: StoreKey;
}

export interface Checkpoint {
  /** A span has ended, and no blob holds it yet. */
  ended(span: ReadableSpan): void;
  /** A trace of an earlier page's checkpoint is to be sealed here; `key` is its record. */
  adopted(traces: readonly EncodedTrace[], key: StoreKey): void;
  /** These are in a blob now, or lost. */
  release(items: Iterable<ReadableSpan | EncodedTrace>): void;
  /** Number of the latest record. */
  readonly serial: number;
  close(): void;
}

/** How long an idle moment is waited for. */
const IDLE_MILLIS = 50;
/** The least time between two records. */
const PAUSE_MILLIS = 100;
/** About a millisecond's work on a fast machine, and within 5 ms on a slow one. */
const MAX_SPANS = 200;

interface Page {
  key: StoreKey;
  /** What the record holds that no blob does. */
  items: Set<ReadableSpan | EncodedTrace>;
}

const isSpan = (item: ReadableSpan | EncodedTrace): item is ReadableSpan => 'spanContext' in item;

export function createCheckpoint({ whenIdle, after, encode, queue, prefix }: CheckpointDeps): Checkpoint {
  /** Ended, and not written yet. */
  const fresh = new Set<ReadableSpan>();
  const pages = new Map<ReadableSpan | EncodedTrace, Page>();
  let serial = 0;
  let closed = false;
  let stopTimer: Stop | undefined;

  const write = ({ key, items }: Page): void => {
    const groups = new Map<string, ReadableSpan[]>();
    const traces: EncodedTrace[] = [];
    for (const item of items) {
      if (!isSpan(item)) traces.push(item);
      else {
        const { traceId } = item.spanContext();
        const group = groups.get(traceId);
        if (group) group.push(item);
        else groups.set(traceId, [item]);
      }
    }
    for (const [traceId, spans] of groups) {
      const encoded = encode({ traceId, spans });
      if (encoded) traces.push(encoded);
    }
    const record: SpansRecord = { v: FORMAT, traces };
    queue.change(key, traces.length ? record : undefined);
  };

  const writeFresh = (): void => {
    stopTimer = undefined;
    const page: Page = { key: [...prefix, 'spans', String(++serial)], items: new Set() };
    for (const span of fresh) {
      if (page.items.size >= MAX_SPANS) break;
      fresh.delete(span);
      page.items.add(span);
      pages.set(span, page);
    }
    if (!page.items.size) return;
    write(page);
    stopTimer = after(PAUSE_MILLIS, () => {
      stopTimer = undefined;
      if (fresh.size) arm();
    });
  };

  const arm = (): void => {
    stopTimer = whenIdle(IDLE_MILLIS, writeFresh);
  };

  return {
    ended(span) {
      if (closed) return;
      fresh.add(span);
      if (!stopTimer) arm();
    },
    adopted(traces, key) {
      const page: Page = { key, items: new Set(traces) };
      for (const trace of traces) pages.set(trace, page);
    },
    release(items) {
      const changed = new Set<Page>();
      for (const item of items) {
        fresh.delete(item as ReadableSpan);
        const page = pages.get(item);
        if (!page) continue;
        pages.delete(item);
        page.items.delete(item);
        changed.add(page);
      }
      for (const page of changed) {
        if (page.items.size) write(page);
        else queue.change(page.key, undefined);
      }
    },
    get serial() {
      return serial;
    },
    close() {
      closed = true;
      stopTimer?.();
      fresh.clear();
    },
  };
}
