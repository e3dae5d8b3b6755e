/**
 * Writes ended spans down while they wait in the buffer, so that a crash loses only what ended in its last instants.
 *
 * Spans that end are written at the next idle moment, at most every 100 ms, each once, in records of up to 200. The
 * record goes in the very transaction that writes the blob which holds its spans; while others of it still wait, they
 * are written anew. What is encoded here is not encoded again.
 */
import type { Stop, StoreKey } from '../platform/platform.js';
import type { EncodedTrace, ReadableSpan, SpanGroup } from './model.js';
import type { WriteQueue } from './outbox-queue.js';
import { FORMAT, type SpansRecord } from './outbox-record.js';

/** What waits to be sealed: spans of this page, and traces that an earlier one had encoded. */
export type Item = ReadableSpan | EncodedTrace;

export interface CheckpointDeps {
  whenIdle(millis: number, task: () => void): Stop;
  after(millis: number, task: () => void): Stop;
  /** Losses are not reported: the span is still in the buffer. */
  encode(group: SpanGroup): EncodedTrace | undefined;
  queue: WriteQueue;
  /** Hears of each record. */
  wrote(): void;
  /** What our records are below: lane and page. */
  prefix: StoreKey;
}

export interface Checkpoint {
  /** A span has ended, and no blob holds it yet. */
  ended(span: ReadableSpan): void;
  /** A trace of an earlier page's checkpoint is to be sealed here; `key` is its record. */
  adopted(traces: readonly EncodedTrace[], key: StoreKey): void;
  /** These are in a blob now, or lost. */
  release(items: Iterable<Item>): void;
  /** What is written down and in no blob, oldest first. */
  items(): Item[];
  has(item: Item): boolean;
  /** Writes `items` as these records, in place of those that they were in. */
  replace(
    items: readonly Item[],
    records: readonly (readonly [StoreKey, unknown])[],
    hears: {
      /** The records are in the database, and those that they replace are not. */
      written(): void;
      /** One of the items is released: the records go, and the other items are written anew. */
      dissolved(): void;
    },
  ): void;
  /** Does not wait for an idle moment. */
  writeNow(): void;
  /** Takes everything out of the database: others may take over what is there, and we still hold it. */
  suspend(): void;
  /** Writes everything down again. `found`: what is in the database; what should not be there any more goes. */
  resume(found: readonly StoreKey[]): void;
  /** Everything that no blob holds, written down or not. */
  readonly size: number;
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
  keys: StoreKey[];
  /** What the records hold that no blob does. */
  items: Set<Item>;
  dissolved?: () => void;
}

const isSpan = (item: Item): item is ReadableSpan => 'spanContext' in item;

/** Spans and traces as traces, those that cannot be encoded left out. */
export function tracesOfItems(
  items: Iterable<Item>,
  encode: (group: SpanGroup) => EncodedTrace | undefined,
): EncodedTrace[] {
  const groups = new Map<string, ReadableSpan[]>();
  const traces: EncodedTrace[] = [];
  for (const item of items) {
    if (!isSpan(item)) {
      traces.push(item);
      continue;
    }
    const { traceId } = item.spanContext();
    const group = groups.get(traceId);
    if (group) group.push(item);
    else groups.set(traceId, [item]);
  }
  for (const [traceId, spans] of groups) {
    const encoded = encode({ traceId, spans });
    if (encoded) traces.push(encoded);
  }
  return traces;
}

export function createCheckpoint(deps: CheckpointDeps): Checkpoint {
  const { whenIdle, after, encode, queue, prefix } = deps;
  /** Ended, and not written yet. */
  const fresh = new Set<Item>();
  const pages = new Map<Item, Page>();
  let serial = 0;
  let suspended = false;
  let closed = false;
  let stopTimer: Stop | undefined;

  const write = (items: Set<Item>): void => {
    const key = [...prefix, 'spans', String(++serial)];
    const page: Page = { keys: [key], items };
    for (const item of items) pages.set(item, page);
    const traces = tracesOfItems(items, encode);
    if (!traces.length) return;
    const record: SpansRecord = { v: FORMAT, traces };
    queue.change(key, record);
    deps.wrote();
  };

  const writeFresh = (): void => {
    stopTimer = undefined;
    const items = new Set<Item>();
    for (const span of fresh) {
      if (items.size >= MAX_SPANS) break;
      fresh.delete(span);
      items.add(span);
    }
    if (!items.size) return;
    write(items);
    stopTimer = after(PAUSE_MILLIS, () => {
      stopTimer = undefined;
      if (fresh.size) arm();
    });
  };

  /** Its records go; what is left of it is written anew. */
  const dissolve = (page: Page): void => {
    for (const key of page.keys) queue.change(key, undefined);
    page.dissolved?.();
    if (page.items.size) write(page.items);
  };

  const arm = (): void => {
    if (suspended) return;
    stopTimer = whenIdle(IDLE_MILLIS, writeFresh);
  };

  return {
    ended(span) {
      if (closed) return;
      fresh.add(span);
      if (!stopTimer) arm();
    },
    adopted(traces, key) {
      const page: Page = { keys: [key], items: new Set(traces) };
      for (const trace of traces) pages.set(trace, page);
    },
    release(items) {
      const changed = new Set<Page>();
      for (const item of items) {
        fresh.delete(item);
        const page = pages.get(item);
        if (!page) continue;
        pages.delete(item);
        page.items.delete(item);
        changed.add(page);
      }
      for (const page of changed) dissolve(page);
    },
    items: () => [...pages.keys()],
    has: (item) => pages.has(item),
    replace(items, records, { written, dissolved }) {
      const page: Page = { keys: records.map(([key]) => key), items: new Set(items), dissolved };
      const changed = new Set<Page>();
      for (const item of items) {
        const earlier = pages.get(item);
        pages.set(item, page);
        if (!earlier) continue;
        earlier.items.delete(item);
        changed.add(earlier);
      }
      for (const earlier of changed) {
        delete earlier.dissolved;
        dissolve(earlier);
      }
      // All of it is one transaction.
      records.forEach(([key, record], index) => {
        queue.change(key, record, index ? undefined : (isWritten) => isWritten && written());
      });
    },
    writeNow() {
      stopTimer?.();
      writeFresh();
    },
    suspend() {
      suspended = true;
      stopTimer?.();
      stopTimer = undefined;
      const all = new Set(pages.values());
      for (const item of pages.keys()) fresh.add(item);
      pages.clear();
      for (const page of all) {
        page.items.clear();
        dissolve(page);
      }
    },
    resume(found) {
      suspended = false;
      const current = new Set([...pages.values()].flatMap(({ keys }) => keys.map(String)));
      for (const key of found) if (!current.has(String(key))) queue.change(key, undefined);
      if (fresh.size && !stopTimer) arm();
    },
    get size() {
      return pages.size + fresh.size;
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
