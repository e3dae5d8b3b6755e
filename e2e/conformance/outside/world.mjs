/** What is outside of one runtime: a bucket with its endpoint, a collector, and servers that are called. */
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { listen } from '../../../demo/mock-r2/listen.mjs';
import { defaultRules, startMockR2 } from '../../../demo/mock-r2/mock-r2.mjs';
import { createSink } from './sink.mjs';

/** @typedef {Awaited<ReturnType<typeof startWorld>>} OpenWorld */

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': '*, authorization',
  'access-control-allow-methods': '*',
};
const STREAM_CHUNKS = 5;
const STREAM_MILLIS = 20;

/** @param {import('node:http').IncomingMessage} req */
async function textOf(req) {
  let text = '';
  for await (const chunk of req) text += chunk;
  return text;
}

/** @param {import('./sink.mjs').Sink} sink @returns {import('node:http').RequestListener} */
const listener = (sink) => async (req, res) => {
  for (const [name, value] of Object.entries(CORS)) res.setHeader(name, value);
  const { pathname } = new URL(req.url ?? '/', 'http://host');
  if (req.method === 'OPTIONS') res.writeHead(204).end();
  else if (pathname.endsWith('/v1/traces')) await sink.listener(req, res);
  else if (pathname === '/echo') {
    const { host: _, ...headers } = req.headers;
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ method: req.method, url: req.url, headers, body: await textOf(req) }));
  } else if (pathname === '/stream') {
    res.setHeader('content-type', 'text/event-stream');
    for (let at = 0; at < STREAM_CHUNKS; at++) {
      res.write(`data: ${at}\n\n`);
      await delay(STREAM_MILLIS);
    }
    res.end();
  } else if (pathname === '/fixed') {
    res.setHeader('content-type', 'text/plain');
    res.setHeader('set-cookie', ['a=1', 'b=2']);
    res.end('of a known length');
  } else if (pathname === '/megabyte') {
    res.end('0123456789abcdef'.repeat(65_536));
  } else if (pathname === '/gzip') {
    res.setHeader('content-type', 'text/plain');
    res.setHeader('content-encoding', 'gzip');
    res.end(gzipSync('inflated, or not'));
  } else if (pathname === '/redirect') {
    res.writeHead(302, { location: '/echo' }).end();
  } else if (pathname.startsWith('/status/')) {
    res.writeHead(Number(pathname.slice('/status/'.length))).end('as you wish');
  } else if (pathname !== '/hang') res.writeHead(404).end();
};

/**
 * @param {string} pageOrigin Where pages come from, for the bucket's CORS rule.
 */
export async function startWorld(pageOrigin) {
  const mock = await startMockR2({
    allowedOrigins: [pageOrigin],
    // Else pages could not tell one error from another, or how long to wait, as every other runtime can.
    cors: {
      errorsWithoutCors: false,
      rules: defaultRules([pageOrigin]).map((rule) => ({ ...rule, ExposeHeaders: ['Retry-After'] })),
    },
    ingest: { allowMissingOrigin: true },
  });
  const sink = createSink();
  const server = await listen(listener(sink));
  /** @type {Map<string, Uint8Array>} */
  const known = new Map();
  return {
    base: server.origin,
    mock,
    sink,
    /** Nothing is there, and nothing is wrong but this. @param {Pick<import('../case.mjs').Case, 'faults' | 'sink'>} trouble */
    async reset(trouble) {
      mock.faults.clear();
      await mock.bucket.clear();
      mock.requests.clear();
      sink.reset(trouble.sink ?? []);
      for (const [target, fault] of Object.entries(trouble.faults ?? {}))
        mock.faults.set(/** @type {any} */ (target), fault);
    },
    /** What was stored and what the sink has taken. @returns {Promise<import('../case.mjs').Arrival[]>} */
    async arrived() {
      /** @type {import('../case.mjs').Arrival[]} */
      const arrived = [];
      for (const { key } of (await mock.bucket.list()).reverse()) {
        // What is stored never changes, and each look at it takes a while.
        const bytes = known.get(key) ?? (await mock.bucket.get(key));
        if (bytes) known.set(key, bytes);
        if (bytes) arrived.push({ place: 'bucket', name: key, bytes, request: inflated(bytes) });
      }
      for (const { path, headers, bytes, inflated, status } of sink.requests) {
        if (status !== 200) continue;
        const isJson = headers['content-type']?.startsWith('application/json');
        // Protobuf has no spans to be read here: its cases look at the bytes.
        const request = isJson ? JSON.parse(inflated.toString()) : { resourceSpans: [] };
        arrived.push({ place: 'sink', name: path, bytes, request });
      }
      return arrived;
    },
    async close() {
      await mock.close();
      await server.close();
    },
  };
}

/** @param {Uint8Array} bytes @throws {Error} when they are no gzip of JSON. */
export const inflated = (bytes) => JSON.parse(gunzipSync(bytes).toString());
