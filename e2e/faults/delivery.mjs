import { gunzipSync } from 'node:zlib';

/**
 * What of the spans emitted is in the bucket, read by others than us: Node's zlib and JSON.parse.
 *
 * @typedef {object} Delivery
 * @property {string[]} missing Names of spans emitted and not there.
 * @property {string[]} unexpected Names of spans there and never emitted.
 * @property {number} duplicateSpans Spans stored more than once.
 * @property {number} duplicateObjects Objects whose spans are all those of another.
 *
 * @typedef {{ spanId: string, name: string }} StoredSpan
 */

/**
 * @param {ReadonlySet<string>} emitted Span names, each of one span.
 * @param {readonly StoredSpan[][]} objects Spans by object.
 * @returns {Delivery}
 */
export function compareDelivery(emitted, objects) {
  const spans = objects.flat();
  const names = new Set(spans.map(({ name }) => name));
  const sets = objects.map((spans) =>
    spans
      .map(({ spanId }) => spanId)
      .sort()
      .join(),
  );
  return {
    missing: [...emitted].filter((name) => !names.has(name)),
    unexpected: [...names].filter((name) => !emitted.has(name)),
    // By name, of which each span has its own: one that came again under another id would be the same to whoever looks.
    duplicateSpans: spans.length - names.size,
    duplicateObjects: sets.length - new Set(sets).size,
  };
}

/**
 * Reads a bucket again and again: objects never change, so each is opened once.
 *
 * @param {import('../../demo/mock-r2/bucket.mjs').Bucket} bucket
 * @returns {() => Promise<StoredSpan[][]>} Rejects when an object is no gzip of OTLP/JSON.
 */
export function createReader(bucket) {
  /** @type {Map<string, StoredSpan[]>} */
  const read = new Map();
  return async () => {
    for (const { key } of await bucket.list()) {
      if (!read.has(key)) read.set(key, spansOf(key, await bucket.get(key)));
    }
    return [...read.values()];
  };
}

/** @param {string} key @param {Uint8Array | undefined} bytes @returns {StoredSpan[]} */
function spansOf(key, bytes) {
  if (!bytes) throw new Error(`${key} was listed and is gone`);
  const { resourceSpans } = JSON.parse(gunzipSync(bytes).toString());
  return resourceSpans.flatMap((/** @type {any} */ { scopeSpans }) =>
    scopeSpans.flatMap((/** @type {any} */ { spans }) =>
      spans.map((/** @type {StoredSpan} */ { spanId, name }) => ({ spanId, name })),
    ),
  );
}
