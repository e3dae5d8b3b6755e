// A page that ends spans, with and without a database behind the outbox. Runs in a page; see checkpoint-bench.mjs.
import { TraceBatchProcessor, TraceExporter } from '../../dist/index.js';
import { browserSpans } from './browser-spans.mjs';
import { sink, withoutDatabase } from './sink.mjs';

/** @typedef {'no processor' | 'in memory' | 'durable' | 'durable, armed'} Variant */

/** @type {Record<Variant, () => TraceExporter | undefined>} */
const EXPORTERS = {
  'no processor': () => undefined,
  'in memory': () => withoutDatabase(() => new TraceExporter({ destination: sink() })),
  durable: () => new TraceExporter({ destination: sink() }),
  'durable, armed': () => new TraceExporter({ destination: sink({ isArmed: true }) }),
};

/** @type {() => Promise<unknown>} */
let run = async () => undefined;

/** Makes spans and exporter, and waits until the database is open: what follows is what ending spans costs. */
export async function prepare(variant, spanCount, everyMillis) {
  const spans = browserSpans(spanCount);
  const exporter = EXPORTERS[variant]();
  const processor = exporter && new TraceBatchProcessor(exporter);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  run = async () => {
    for (const span of spans) {
      processor?.onEnd(span);
      if (everyMillis) await new Promise((resolve) => setTimeout(resolve, everyMillis));
    }
    const isDone = () => !exporter || exporter.stats().spans.stored === spanCount;
    while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 50));
    // What follows the last blob: its records are deleted.
    await new Promise((resolve) => setTimeout(resolve, 500));
    return exporter?.stats();
  };
}

/** Ends the spans, and resolves when all are stored. */
export function endSpans() {
  return run();
}

/** Counts what is written from here on: as JSON, bytes as they are. */
export function countWrites() {
  const written = { transactions: 0, bytes: 0 };
  const { transaction } = IDBDatabase.prototype;
  const { put } = IDBObjectStore.prototype;
  IDBDatabase.prototype.transaction = function counted(names, mode, options) {
    if (mode === 'readwrite') written.transactions++;
    return transaction.call(this, names, mode, options);
  };
  IDBObjectStore.prototype.put = function counted(value, key) {
    const sizes = (_key, part) => {
      if (part instanceof Uint8Array) written.bytes += part.length;
      return part instanceof Uint8Array ? undefined : part;
    };
    written.bytes += JSON.stringify(value, sizes).length;
    return put.call(this, value, key);
  };
  return written;
}

export async function endSpansCounted() {
  const written = countWrites();
  await run();
  return written;
}
