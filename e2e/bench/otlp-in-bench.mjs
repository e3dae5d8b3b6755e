// What a request of OTLP costs the endpoint, beside handlers that one would write by hand, in Node and in workerd: as JSON
// and protobuf, packed or not, with as many spans as a quiet and a busy server sends at a time. CPU is of the whole process.
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { take, WAYS } from './otlp-in-measure.mjs';
import { median, ownCpuMillis, startWorkerd } from './workerd-process.mjs';

/** What `BatchSpanProcessor` sends at once, at most, is the last. */
const SPANS = [10, 512];
const ROUNDS = 5;
/** Of so many spans in all is a round. */
const SPANS_PER_ROUND = 10_000;

export async function bench() {
  const bodies = Object.fromEntries(SPANS.map((count) => [count, bodiesOf(count)]));
  const inNode = await measure((way, spans, requests) => take(way, bodies[spans], requests), ownCpuMillis);
  const texts = Object.entries(bodies).map(([count, all]) => [
    count,
    Object.fromEntries(
      Object.entries(all).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
    ),
  ]);
  const file = fileURLToPath(new URL('otlp-in-worker.mjs', import.meta.url));
  const worker = await startWorkerd(file, { bindings: { BODIES: Object.fromEntries(texts) } });
  try {
    const inWorkerd = await measure(async (way, spans, requests) => {
      const query = new URLSearchParams({ way, spans: String(spans), requests: String(requests) });
      const response = await fetch(`${worker.url}?${query}`);
      if ((await response.text()) !== 'ok') throw new Error(`HTTP ${response.status}`);
    }, worker.cpuMillis);
    return { 'OTLP in, Node': inNode, 'OTLP in, workerd': inWorkerd };
  } finally {
    await worker.stop();
  }
}

/** @param {number} count @returns {import('./otlp-in-measure.mjs').Bodies} */
function bodiesOf(count) {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'warehouse', 'service.version': '1.0.0' }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('bench');
  for (let index = 0; index < count; index++) {
    const span = tracer.startSpan(`GET /products/:id`, {
      kind: 1,
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/products/:id',
        'http.response.status_code': 200,
        'url.path': `/products/${index}`,
        'server.address': 'shop.example',
        'network.protocol.version': '1.1',
      },
    });
    if (index % 8 === 0) span.addEvent('cache miss', { key: `product-${index}` });
    span.end();
  }
  const spans = exporter.getFinishedSpans();
  const [json, protobuf] = [JsonTraceSerializer, ProtobufTraceSerializer].map(
    (serializer) => new Uint8Array(serializer.serializeRequest(spans) ?? []),
  );
  if (!json || !protobuf) throw new Error('nothing was written');
  const packed = (/** @type {Uint8Array} */ bytes) => new Uint8Array(gzipSync(bytes));
  return { json, 'json, gzip': packed(json), protobuf, 'protobuf, gzip': packed(protobuf) };
}

/**
 * @param {(way: string, spans: number, requests: number) => Promise<unknown>} run
 * @param {() => number} cpuMillis
 */
async function measure(run, cpuMillis) {
  const cases = SPANS.flatMap((spans) => Object.keys(WAYS).map((way) => ({ way, spans })));
  /** @type {{ cpu: number, wall: number }[][]} */
  const taken = cases.map(() => []);
  const requestsOf = (/** @type {number} */ spans) => Math.ceil(SPANS_PER_ROUND / spans);
  for (const { way, spans } of cases) await run(way, spans, requestsOf(spans));
  // In turns, so that what else the machine does falls on all of them.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { way, spans }] of cases.entries()) {
      const [cpu, wall] = [cpuMillis(), performance.now()];
      await run(way, spans, requestsOf(spans));
      taken[index]?.push({ cpu: cpuMillis() - cpu, wall: performance.now() - wall });
    }
  }
  return cases.map(({ way, spans }, index) => {
    const rounds = taken[index] ?? [];
    const requests = requestsOf(spans);
    const cpu = median(rounds.map((one) => one.cpu)) / requests;
    return {
      way,
      'spans each': spans,
      'ms CPU': cpu,
      'µs CPU a span': (cpu / spans) * 1_000,
      'requests per second': Math.round(requests / (median(rounds.map((one) => one.wall)) / 1_000)),
    };
  });
}
