/** Keeps the collection of traces up with the bucket: first page, then news, then older pages on request. */
import { listObjects, ObjectError, readObject, watchObjects } from './bucket-objects.mjs';
import { objectsOfTrace } from './overview-data.mjs';
import { isLogsRequest, parseLogs } from './parse-logs.mjs';
import { parseRequest } from './parse-otlp.mjs';
import { createTraces } from './traces.mjs';

/** Objects read at a time; more would crowd out the page's own requests. */
const MAX_READS = 4;
/** Pages listed after the connection was lost; what was stored meanwhile is in the first of them. */
const MAX_MISSED_PAGES = 20;
/** Renders at most this often while objects arrive, and while a whole page of them does. */
const CHANGE_INTERVAL_MILLIS = 60;
const READING_INTERVAL_MILLIS = 300;

/**
 * @typedef {object} Feed
 * @property {'connecting' | 'live' | 'reconnecting'} state
 * @property {boolean} settled all of the first page has been read, whatever came of it
 * @property {boolean} isReading what was asked for, a page of objects, is being listed or read; news do not count
 * @property {number} leftCount objects of it still to read
 * @property {number} objectCount objects read well
 * @property {number} newsCount objects that came by themselves
 * @property {{ key: string, kind: 'malformed' | 'unreachable', reason: string }[]} failures
 * @property {number} skippedSpans spans without usable ids
 * @property {string} listError why the bucket could not be listed; empty when it could
 * @property {boolean} hasOlder there are older objects, and room for their traces
 * @property {boolean} isFull as many traces as are kept
 * @property {import('./traces.mjs').Trace[]} traces newest first
 */

/**
 * Starts reading.
 *
 * @param {(feed: Feed) => void} onChange called with a new value after changes, never synchronously
 * @returns {{ loadOlder: () => Promise<void>, retry: () => void, load: (traceId: string) => Promise<void>, get: (traceId: string) => object | undefined,
 *   stop: () => void }}
 */
export function startFeed(onChange) {
  const traces = createTraces();
  const known = new Set();
  /** @type {{ object: object, isNews: boolean }[]} */
  const queue = [];
  const failures = new Map();
  let reading = 0;
  let listing = 0;
  /** Objects that were asked for, and are not read yet. */
  let leftCount = 0;
  let objectCount = 0;
  let newsCount = 0;
  let skippedSpans = 0;
  /** @type {Feed['state']} */
  let state = 'connecting';
  let listError = '';
  let firstPageListed = false;
  let settled = false;
  let oldestKey;
  let hasOlder = false;
  let timer;

  const tell = () => {
    timer = undefined;
    settled ||= firstPageListed && leftCount === 0;
    onChange({
      state,
      settled,
      isReading: listing + leftCount > 0,
      leftCount,
      objectCount,
      newsCount,
      failures: [...failures.values()],
      skippedSpans,
      listError,
      hasOlder: hasOlder && !traces.isFull(),
      isFull: traces.isFull(),
      traces: traces.list(),
    });
  };

  const changed = () => {
    if (timer !== undefined) return;
    timer = setTimeout(tell, leftCount > 1 ? READING_INTERVAL_MILLIS : CHANGE_INTERVAL_MILLIS);
  };

  const read = async ({ object, isNews }) => {
    try {
      const request = await readObject(object.key);
      if (isLogsRequest(request)) traces.addLogs(object, parseLogs(request));
      else {
        const parsed = parseRequest(request);
        traces.add(object, parsed.traces, isNews);
        skippedSpans += parsed.skipped;
      }
      objectCount += 1;
      failures.delete(object.key);
    } catch (error) {
      const kind = error instanceof ObjectError ? error.kind : 'malformed';
      failures.set(object.key, { key: object.key, kind, reason: String(error?.message ?? error), object });
    }
    if (!isNews) leftCount -= 1;
  };

  const pump = () => {
    while (reading < MAX_READS && queue.length > 0) {
      reading += 1;
      void read(queue.shift()).then(() => {
        reading -= 1;
        pump();
      });
    }
    changed();
  };

  /** What came by itself is read before what was asked for: there is less of it, and it is in front. */
  const enqueue = (objects, isNews) => {
    const fresh = objects.filter(({ key }) => !known.has(key)).map((object) => ({ object, isNews }));
    for (const { object } of fresh) known.add(object.key);
    if (isNews) {
      queue.unshift(...fresh);
      newsCount += fresh.length;
    } else {
      queue.push(...fresh);
      leftCount += fresh.length;
    }
    pump();
    return fresh.length;
  };

  /** Lists a page, the newest or that after `after`, and reads it. */
  const askFor = async (after) => {
    listing += 1;
    changed();
    try {
      const { objects, more } = await listObjects(after);
      listError = '';
      oldestKey = objects.at(-1)?.key ?? oldestKey;
      // A host that does not page answers with what is known already: then there is nothing older.
      hasOlder = (enqueue(objects, false) > 0 || after === undefined) && more;
    } catch (error) {
      listError = error instanceof Error ? error.message : String(error);
    }
    listing -= 1;
    firstPageListed = true;
    changed();
  };

  /** Whatever was stored while nobody listened: page after page, until one reaches what is known. */
  const catchUp = async () => {
    try {
      let page = await listObjects();
      for (let count = 1; count < MAX_MISSED_PAGES; count++) {
        const isAllNew = enqueue(page.objects, true) === page.objects.length;
        if (!isAllNew || !page.more) break;
        page = await listObjects(page.objects.at(-1).key);
      }
      listError = '';
    } catch (error) {
      listError = error instanceof Error ? error.message : String(error);
    }
    changed();
  };

  const unwatch = watchObjects(
    (object) => enqueue([object], true),
    (live) => {
      state = live ? 'live' : 'reconnecting';
      changed();
      if (live && firstPageListed) void catchUp();
    },
  );
  void askFor();

  return {
    get: traces.get,
    async loadOlder() {
      // A second click while the first is under way asks for nothing.
      if (listing === 0) await askFor(oldestKey);
    },
    /** A trace that a figure led to, wherever it lies. */
    async load(traceId) {
      traces.want(traceId);
      listing += 1;
      changed();
      const objects = await objectsOfTrace(traceId).catch(() => []);
      for (const { key } of objects) known.delete(key);
      enqueue(objects, false);
      listing -= 1;
      changed();
    },
    retry() {
      const again = [...failures.values()].filter(({ kind }) => kind === 'unreachable');
      for (const { key } of again) {
        failures.delete(key);
        known.delete(key);
      }
      enqueue(
        again.map(({ object }) => object),
        false,
      );
      if (listError !== '') void (oldestKey === undefined ? askFor() : catchUp());
    },
    stop() {
      unwatch();
      clearTimeout(timer);
      queue.length = 0;
    },
  };
}
