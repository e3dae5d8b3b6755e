import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { otlp, protobuf } from 'spandrel/otlp';
import { openTracing, under } from '../inside/traces.mjs';
import { untilSent } from '../inside/until-sent.mjs';

/** @typedef {import('../case.mjs').Env} Env @typedef {import('../case.mjs').Seen} Seen */

const SECONDS = 1_790_000_000;
const HANG_MILLIS = 1_000;
const ALL = (/** @type {number} */ count) => ({
  created: count,
  stored: count,
  waiting: 0,
  dropped: {},
  exceptions: 0,
});

/** Spans through `otlp`, and what became of them. @param {Env} env @param {object} options @param {number} [count] */
async function send({ base, ...env }, options, count = 1) {
  const tracing = openTracing({ base, ...env }, { destination: otlp({ url: base, ...options }) });
  const root = tracing.tracer.startSpan('root', { startTime: [SECONDS, 1] });
  for (let at = 1; at < count; at++)
    tracing.tracer
      .startSpan(
        'child',
        { startTime: [SECONDS, at], attributes: { at, ratio: at / 3, on: true } },
        under(root),
      )
      .end([SECONDS + 1, at]);
  root.end([SECONDS + 2, 0]);
  await tracing.exporter.flush();
  await untilSent(tracing.exporter);
  const ended = tracing.ended();
  return { ledger: await tracing.close(), ended };
}

/** What the collector got. @param {Seen} seen */
const sunk = ({ answer, sunk }) => ({
  answer,
  requests: sunk.map(({ path, headers, status }) => [
    path,
    headers['content-type'],
    headers['content-encoding'] ?? 'plain',
    headers['x-key'] ?? 'no key',
    status,
  ]),
});

const JSON_REQUEST = ['/v1/traces', 'application/json', 'plain', 'no key', 200];

/** The OTLP destination. @type {import('../case.mjs').Case[]} */
export const otlpCases = [
  {
    name: 'otlp: a small body is JSON, with the headers that were asked for',
    spans: 1,
    run: async (env) => (await send(env, { headers: async () => ({ 'x-key': 'k1' }) })).ledger,
    view: sunk,
    expected: { answer: ALL(1), requests: [['/v1/traces', 'application/json', 'plain', 'k1', 200]] },
  },
  {
    name: 'otlp: from 1,024 bytes on the body is gzip',
    spans: 20,
    run: async (env) => (await send(env, {}, 20)).ledger,
    view: sunk,
    expected: { answer: ALL(20), requests: [['/v1/traces', 'application/json', 'gzip', 'no key', 200]] },
  },
  ...[2, 20].map((count) => ({
    name: `otlp: protobuf of ${count} spans is the official serializer's`,
    spans: 0,
    async run(/** @type {Env} */ env) {
      const { ledger, ended } = await send(env, { format: protobuf(ProtobufTraceSerializer) }, count);
      const official = ProtobufTraceSerializer.serializeRequest(ended) ?? [];
      return { ledger, official: Array.from(official) };
    },
    view: (/** @type {Seen} */ { answer, sunk }) => {
      const [{ headers = {}, bytes = [] } = {}] = sunk;
      return {
        ledger: answer.ledger,
        type: headers['content-type'],
        encoding: headers['content-encoding'],
        isOfficial: sunk[0]?.inflated.toString('hex') === Buffer.from(answer.official).toString('hex'),
        bytes: bytes.length > 0,
      };
    },
    expected: {
      ledger: ALL(count),
      type: 'application/x-protobuf',
      ...(count > 2 && { encoding: 'gzip' }),
      isOfficial: true,
      bytes: true,
    },
  })),
  {
    name: 'otlp: spans that a partial success rejects are counted',
    spans: 20,
    sink: [{ body: '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}' }],
    run: async (env) => (await send(env, {}, 20)).ledger,
    view: ({ answer }) => answer,
    expected: { ...ALL(20), stored: 17, dropped: { rejected: 3 } },
  },
  {
    name: 'otlp: 503 with Retry-After is asked again',
    spans: 1,
    sink: [{ status: 503, headers: { 'retry-after': '1', 'access-control-expose-headers': 'Retry-After' } }],
    async run(env) {
      const begun = Date.now();
      const { ledger } = await send(env, {});
      return { ...ledger, waited: Date.now() - begun >= 950 };
    },
    view: sunk,
    expected: {
      answer: { ...ALL(1), waited: true },
      requests: [[...JSON_REQUEST.slice(0, 4), 503], JSON_REQUEST],
    },
  },
  {
    name: 'otlp: a collector that hangs is given up after timeoutMillis, and asked again',
    spans: 1,
    sink: [{ hang: true }],
    run: async (env) => (await send(env, { timeoutMillis: HANG_MILLIS })).ledger,
    view: sunk,
    expected: { answer: ALL(1), requests: [[...JSON_REQUEST.slice(0, 4), 0], JSON_REQUEST] },
  },
  {
    name: 'otlp: 400 costs the spans, and says so',
    spans: 0,
    sink: [{ status: 400, body: '{"message":"no"}' }],
    run: async (env) => (await send(env, {})).ledger,
    view: ({ answer }) => answer,
    expected: { ...ALL(1), stored: 0, dropped: { rejected: 1 } },
  },
];
