// One variant of `forward-bench.mjs`, alone in its process.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { createBatchSender, forward } from '../../dist/forward.js';
import { StorageError } from '../../dist/server.js';

const PER_MINUTE = 1_000;
const MINUTE_MILLIS = 60_000;
const [variant = '', url, count, limit] = process.argv.slice(2);
const objectCount = Number(count);
/** The newest are half an hour old. */
const START =
  (Math.floor(Date.now() / MINUTE_MILLIS) - 30 - Math.ceil(objectCount / PER_MINUTE)) * MINUTE_MILLIS;
/** One read in so many fails, once. */
const failsEvery = variant.includes('1 %') ? 100 : Number.POSITIVE_INFINITY;
const ending = new AbortController();
const ended = ending.signal;

const hex = (bytes) => randomBytes(bytes).toString('hex');

/** One trace of three spans, as a page sends them. */
function objectBytes(atMillis) {
  const traceId = hex(16);
  const nanos = `${atMillis}000000`;
  const spans = ['documentLoad', 'GET /api/cart', 'click'].map((name) => ({
    ...{ traceId, spanId: hex(8), name, kind: 3, startTimeUnixNano: nanos, endTimeUnixNano: nanos },
    attributes: [
      { key: 'url.full', value: { stringValue: `https://shop.example/cart?item=${hex(4)}` } },
      { key: 'session.id', value: { stringValue: hex(16) } },
      { key: 'http.response.status_code', value: { intValue: '200' } },
    ],
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
  return gzipSync(
    JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'spandrel' }, spans }] }] }),
  );
}

/** Keys are made when asked for, bytes are one buffer, and what is deleted frees nothing: memory is the forwarder's. */
function makeStore() {
  const minutes = Math.ceil(objectCount / PER_MINUTE);
  const offsets = new Uint32Array(objectCount + 1);
  const gone = new Uint8Array(objectCount);
  const bytes = Buffer.alloc(objectCount * 700);
  let reads = 0;
  const atMillisOf = (index) => START + Math.floor(index / PER_MINUTE) * MINUTE_MILLIS + (index % PER_MINUTE);
  for (let index = 0; index < objectCount; index += 1) {
    offsets[index + 1] = offsets[index] + objectBytes(atMillisOf(index)).copy(bytes, offsets[index]);
  }
  const keyOf = (index) => {
    const iso = new Date(atMillisOf(index)).toISOString();
    const time = atMillisOf(index).toString(16).padStart(12, '0');
    const uuid = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${index.toString(16).padStart(12, '0')}`;
    return `otlp/v1/shop/production/year=${iso.slice(0, 4)}/month=${iso.slice(5, 7)}/day=${iso.slice(8, 10)}/hour=${iso.slice(11, 13)}/minute=${iso.slice(14, 16)}/traces_${uuid}.json.gz`;
  };
  const indexOf = (key) => Number.parseInt(key.slice(-20, -8), 16);
  const others = new Map();
  const isTrace = (key) => key.startsWith('otlp/');
  return {
    minutes,
    /** @param {string} prefix @param {{ cursor?: string, after?: string }} [from] */
    async list(prefix, { cursor, after } = {}) {
      if (!isTrace(prefix)) {
        const keys = [...others.keys()].filter((key) => key.startsWith(prefix) && key > (after ?? '')).sort();
        return { objects: keys.map((key) => ({ key, size: others.get(key).length })) };
      }
      // Where nothing else is waited for, timers have no turn.
      sample();
      const objects = [];
      let index = Number(cursor ?? 0);
      for (; index < objectCount && objects.length < 1_000; index += 1) {
        if (!gone[index]) objects.push({ key: keyOf(index), size: offsets[index + 1] - offsets[index] });
      }
      return index < objectCount ? { objects, cursor: String(index) } : { objects };
    },
    async get(key) {
      if (!isTrace(key)) return others.get(key);
      const index = indexOf(key);
      reads += 1;
      if (reads % failsEvery === 0)
        throw new StorageError('the store answered GET with 503', { httpStatus: 503 });
      return gone[index] ? undefined : new Uint8Array(bytes.subarray(offsets[index], offsets[index + 1]));
    },
    async put(key, content) {
      if (others.has(key)) return 'exists';
      others.set(key, content);
      return 'created';
    },
    async delete(key) {
      if (isTrace(key)) gone[indexOf(key)] = 1;
      else others.delete(key);
    },
  };
}

/** What anyone writes first: list, get, post, delete, 16 at a time; and what fails again, at once. */
async function copyLoop(storage) {
  let sent = 0;
  let cursor;
  do {
    const page = await storage.list('otlp/v1/', cursor === undefined ? {} : { cursor });
    const rest = page.objects.values();
    const lane = async () => {
      for (const { key } of rest) {
        if (ended.aborted) return;
        const body = await storage.get(key).catch(() => storage.get(key));
        const response = await fetch(`${url}/v1/traces`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
          body,
        });
        await response.arrayBuffer();
        await storage.delete(key);
        sent += 1;
      }
    };
    await Promise.all(Array.from({ length: 16 }, lane));
    cursor = page.cursor;
  } while (cursor !== undefined && !ended.aborted);
  return { sent, requests: sent };
}

const samples = [];
const sample = () => void samples.push(process.memoryUsage.rss());
const storage = makeStore();
/** Takes all: what is left is the half that knows the bucket. */
const nobody = {
  async send(objects) {
    const counts = { spanCount: 3, rejectedCount: 0 };
    return {
      results: objects.map(({ key }) => ({ key, status: 'sent', ...counts })),
      requestCount: 0,
      byteCount: 0,
    };
  },
};
const sender = variant === 'forward, without a backend' ? nobody : createBatchSender({ url });
const after = variant === 'forward, keep' ? 'keep' : 'delete';
const work = variant.startsWith('copy loop')
  ? () => copyLoop(storage)
  : () => forward({ storage, sender, after, from: 0, signal: ended });

globalThis.gc?.();
await sleep(200);
const baseBytes = process.memoryUsage.rss();
const timer = setInterval(sample, 100);
const cpu = process.cpuUsage();
const startedAt = performance.now();
setTimeout(() => ending.abort(), Number(limit) * 1_000).unref();
const result = await work();
const seconds = (performance.now() - startedAt) / 1_000;
clearInterval(timer);
const isCutShort = ended.aborted && !result.skipped && (result.ended ?? 'aborted') === 'aborted';
if (result.sent !== objectCount && !isCutShort)
  throw new Error(`${result.sent} of ${objectCount} were sent: ${JSON.stringify(result)}`);
const { user, system } = process.cpuUsage(cpu);
const mib = (bytes) => (bytes - baseBytes) / 2 ** 20;
const half = samples.length >> 1;
const figures = {
  variant,
  objects: result.sent,
  'objects/s': result.sent / seconds,
  'CPU µs/object': (user + system) / result.sent,
  requests: result.requests,
  'RSS MiB over the start, peak of the first half': mib(Math.max(...samples.slice(0, half))),
  'of the second': mib(Math.max(...samples.slice(half))),
};
// Connections that are kept for later requests do not keep the process.
process.send(figures, () => process.exit());
