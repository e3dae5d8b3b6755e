/** Objects as clients store them, and an OTLP/HTTP backend on the loopback with scripted answers. For tests only. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { BatchSender, FetchedObject } from '../forward/batch.js';
import { assembleBatchSender } from '../forward/batch-sender.js';
import { type BatchSenderOptions, checkSenderOptions, SENDER_NUMBERS } from '../forward/sender-options.js';
import type { InspectLimits } from '../wire/inspect.js';

export const RECEIVED_AT = Date.UTC(2026, 10, 21, 3, 4, 5, 678);
const UUID_TIME = RECEIVED_AT.toString(16).padStart(12, '0');

/** A key of ours, of which `n` tells it from others. */
export function keyOf(n: number, project = 'shop'): string {
  const uuid = `${UUID_TIME.slice(0, 8)}-${UUID_TIME.slice(8)}-7000-8000-${String(n).padStart(12, '0')}`;
  return `otlp/v1/${project}/production/year=2026/month=11/day=21/hour=03/minute=04/traces_${uuid}.json.gz`;
}

export const gzipped = (text: string | Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(gzipSync(text));

export const traceId = (n: number): string => (n + 1).toString(16).padStart(32, '0');
export const spanId = (n: number): string => (n + 1).toString(16).padStart(16, '0');
/** Nanoseconds so many milliseconds after objects were received. */
export const nanosAt = (millis: number): string => `${RECEIVED_AT + millis}000000`;

// biome-ignore lint/suspicious/noExplicitAny: JSON that tests bend as they like
export type Json = any;

export function span(trace: number, id: number, fields: object = {}): Json {
  return {
    traceId: traceId(trace),
    spanId: spanId(id),
    name: `span ${id}`,
    kind: 1,
    startTimeUnixNano: nanosAt(-10),
    endTimeUnixNano: nanosAt(-5),
    attributes: [{ key: 'n', value: { intValue: String(id) } }],
    ...fields,
  };
}

export function request(spans: Json[], service = 'shop'): Json {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'tests' }, spans }] }] };
}

export const objectOf = (n: number, spans: Json[], project?: string): FetchedObject => ({
  key: keyOf(n, project),
  bytes: gzipped(JSON.stringify(request(spans))),
});

export const LIMITS: InspectLimits = Object.fromEntries(
  Object.entries(SENDER_NUMBERS).map(([name, [fallback]]) => [name, fallback]),
) as unknown as InspectLimits;

/** One request, as a backend got it. */
export interface ReceivedRequest {
  url: string;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  json: Json;
  /** `trace/span` of each. */
  spans: string[];
}

export type Answerer = (received: ReceivedRequest, response: ServerResponse) => void;

export interface Backend {
  url: string;
  received: ReceivedRequest[];
  /** All spans of requests that were answered with 2xx. */
  taken: string[];
  close(): void;
}

export const spansIn = (json: Json): Json[] =>
  (json.resourceSpans ?? []).flatMap(({ scopeSpans = [] }: Json) =>
    scopeSpans.flatMap(({ spans = [] }: Json) => spans),
  );

export async function backend(answer: Answerer = (_, response) => response.end('{}')): Promise<Backend> {
  const received: ReceivedRequest[] = [];
  const taken: string[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk) => chunks.push(chunk));
    incoming.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const json = JSON.parse(gunzipSync(bytes).toString());
      const spans = spansIn(json).map((each: Json) => `${each.traceId}/${each.spanId}`);
      const one = { url: incoming.url ?? '', headers: incoming.headers, bytes, json, spans };
      received.push(one);
      response.on('error', () => {});
      answer(one, response);
      if (response.statusCode < 300) taken.push(...spans);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    taken,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export interface TestSender extends BatchSender {
  /** What was slept, milliseconds. */
  slept: number[];
  nowMillis: number;
}

/** A sender whose clock moves only when it sleeps, which takes no time. */
export function testSender(options: BatchSenderOptions): TestSender {
  const self: TestSender = {
    slept: [],
    nowMillis: RECEIVED_AT,
    ...assembleBatchSender(checkSenderOptions({ now: () => self.nowMillis, ...options }), {
      fetch: (url, init) => fetch(url, init),
      now: () => self.nowMillis,
      random: () => 0.5,
      async sleep(millis) {
        self.slept.push(millis);
        self.nowMillis += millis;
      },
    }),
  };
  return self;
}
