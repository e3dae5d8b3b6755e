/** Keeps the collection of traces up with the bucket: first page, then news, then older pages on request. */
import { listObjects, ObjectError, readObject, watchObjects } from './bucket-objects.mjs';
import { parseRequest } from './parse-otlp.mjs';
import { createTraces } from './traces.mjs';

/** Objects read at a time; more would crowd out the page's own requests. */
const MAX_READS = 4;
/** Renders at most this often while many objects arrive. */
const CHANGE_INTERVAL_MILLIS = 60;

/**
 * @typedef {object} Feed
 * @property {'connecting' | 'live' | 'reconnecting'} state
 * @property {boolean} loaded the first page has been read, whatever came of it
 * @property {number} objectCount objects read well
 * @property {number} queuedCount objects still to read
 * @property {{ key: string, kind: 'malformed' | 'unreachable', reason: string }[]} failures
 * @property {number} skippedSpans spans without usable ids
 * @property {string} listError why the bucket could not be listed; empty when it could
 * @property {boolean} hasOlder an older page may exist
 * @property {import('./traces.mjs').Trace[]} traces newest first
 */

/**
 * Starts reading.
 *
 * @param {(feed: Feed) => void} onChange called with a new value after changes, never synchronously
 * @returns {{ loadOlder: () => Promise<void>, retry: () => void, get: (traceId: string) => object | undefined,
 *   stop: () => void }}
 */
export function startFeed(onChange) {
  const traces = createTraces();
  const known = new Set();
  const queue = [];
  const failures = new Map();
  let reading = 0;
  let objectCount = 0;
  let skippedSpans = 0;
  let state = 'connecting';
  let listError = '';
  let firstPageRead = false;
  let oldestKey;
  let hasOlder = false;
  let timer;

  const changed = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      onChange({
        state,
        loaded: firstPageRead && (objectCount > 0 || queue.length + reading === 0),
        objectCount,
        queuedCount: queue.length + reading,
        failures: [...failures.values()],
        skippedSpans,
        listError,
        hasOlder,
        traces: traces.list(),
      });
    }, CHANGE_INTERVAL_MILLIS);
  };

  const read = async (object) => {
    try {
      const parsed = parseRequest(await readObject(object.key));
      traces.add(object, parsed.traces);
      skippedSpans += parsed.skipped;
      objectCount += 1;
      failures.delete(object.key);
    } catch (error) {
      const kind = error instanceof ObjectError ? error.kind : 'malformed';
      failures.set(object.key, { key: object.key, kind, reason: String(error?.message ?? error), object });
    }
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

  const enqueue = (objects, first = false) => {
    const fresh = objects.filter(({ key }) => !known.has(key));
    for (const { key } of fresh) known.add(key);
    if (first) queue.unshift(...fresh);
    else queue.push(...fresh);
    pump();
    return fresh.length;
  };

  const list = async (after) => {
    try {
      const objects = await listObjects(after);
      listError = '';
      if (after !== undefined || !firstPageRead) {
        oldestKey = objects.at(-1)?.key ?? oldestKey;
        hasOlder = objects.length > 0;
      }
      // A host that does not page answers with what is known already: then there is nothing older.
      if (enqueue(objects) === 0 && after !== undefined) hasOlder = false;
    } catch (error) {
      listError = error instanceof Error ? error.message : String(error);
    }
    firstPageRead = true;
    changed();
  };

  const unwatch = watchObjects(
    (object) => enqueue([object], true),
    (live) => {
      state = live ? 'live' : 'reconnecting';
      changed();
      // Whatever was stored while nobody listened is in the first page.
      if (live && firstPageRead) void list();
    },
  );
  void list();

  return {
    get: traces.get,
    loadOlder: () => list(oldestKey),
    retry() {
      const again = [...failures.values()].filter(({ kind }) => kind === 'unreachable');
      for (const { key } of again) failures.delete(key);
      queue.push(...again.map(({ object }) => object));
      pump();
      if (listError !== '') void list();
    },
    stop() {
      unwatch();
      clearTimeout(timer);
      queue.length = 0;
    },
  };
}
