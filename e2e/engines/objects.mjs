/** Spans as objects in a folder, under the keys that they have in a bucket. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { startMockR2 } from '../../demo/mock-r2/mock-r2.mjs';
import { bucket, TraceExporter } from '../../dist/edge.js';

/** @typedef {import('./shop-spans.mjs').Span} Span */

/** @param {string} folder @param {string} key @param {Uint8Array} bytes */
export async function putFile(folder, key, bytes) {
  const file = path.join(folder, key);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, bytes);
}

/** @param {readonly Span[]} spans */
export function byTrace(spans) {
  /** @type {Map<string, Span[]>} */
  const traces = new Map();
  for (const span of spans) {
    const { traceId } = span.spanContext();
    traces.set(traceId, [...(traces.get(traceId) ?? []), span]);
  }
  return [...traces.values()];
}

/**
 * Through everything that an upload passes: the exporter, the endpoint, a signed PUT into a bucket, and out again.
 *
 * @param {string} folder
 * @param {readonly (readonly Span[])[]} batches Exported one after the other.
 * @param {object} [options] Of the exporter.
 * @returns {Promise<string[]>} the keys
 */
export async function exportInto(folder, batches, options = {}) {
  const mock = await startMockR2({
    allowedOrigins: ['http://shop.test'],
    ingest: { allowMissingOrigin: true },
  });
  try {
    const exporter = new TraceExporter({ destination: bucket({ endpoint: mock.endpointUrl }), ...options });
    for (const batch of batches) {
      const { code, error } = await new Promise((resolve) => exporter.export([...batch], resolve));
      if (code !== 0) throw error ?? new Error('not exported');
      await exporter.forceFlush();
    }
    await exporter.shutdown();
    const keys = (await mock.bucket.list()).map(({ key }) => key);
    for (const key of keys) await putFile(folder, key, (await mock.bucket.get(key)) ?? new Uint8Array());
    return keys;
  } finally {
    await mock.close();
  }
}

/**
 * The key that the layout gives the object of some minute, in the words of src/server/README.md.
 *
 * @param {string} name Unique.
 * @param {Date} at
 */
export function keyAt(name, at) {
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  const [month, day, hour, minute] = [
    at.getUTCMonth() + 1,
    at.getUTCDate(),
    at.getUTCHours(),
    at.getUTCMinutes(),
  ].map(two);
  return `otlp/v1/default/production/year=${at.getUTCFullYear()}/month=${month}/day=${day}/hour=${hour}/minute=${minute}/traces_${name}.json.gz`;
}

/** As OpenTelemetry's own serializer writes them. @param {readonly Span[]} spans */
export const officialObject = (spans) =>
  gzipSync(JsonTraceSerializer.serializeRequest([...spans]) ?? new Uint8Array());

/**
 * An object for each trace, all in the minute `at`.
 *
 * @param {string} folder @param {readonly Span[]} spans @param {Date} at
 */
export async function serializeInto(folder, spans, at) {
  for (const [index, ofTrace] of byTrace(spans).entries())
    await putFile(folder, keyAt(`official-${index}`, at), officialObject(ofTrace));
}

const GZIP_HEADER_BYTES = 10;
const FLAG_EXTRA = 4;

/**
 * The same gzip made longer by a field of its header that readers pass over, as uploads of a fixed length are.
 *
 * @param {Uint8Array} gzip Without such a field. @param {number} extraBytes 0 to 65,535.
 * @see https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1.1
 */
export function padded(gzip, extraBytes) {
  const head = Buffer.from(gzip.subarray(0, GZIP_HEADER_BYTES));
  head[3] = (head[3] ?? 0) | FLAG_EXTRA;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(extraBytes);
  return Buffer.concat([head, length, Buffer.alloc(extraBytes), gzip.subarray(GZIP_HEADER_BYTES)]);
}
