/** The whole way by real HTTP: spans of the real SDK, real fetch, a real server, zlib. */
import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { context } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  StackContextManager,
} from '@opentelemetry/sdk-trace-web';
import { decodeRequest } from '../testing/otlp-decode.js';
import { levelled } from '../testing/sdk-spans.js';
import { type OtlpOptions, otlp, protobuf } from './otlp.js';
import { assertLedger } from './testing/client.js';
import { TraceBatchProcessor } from './trace-batch-processor.js';
import { TraceExporter } from './trace-exporter.js';

interface Post {
  path: string;
  headers: IncomingHttpHeaders;
  /** As it came. */
  body: Buffer;
  /** Inflated where it says so. */
  content: Buffer;
}

type Answer = (response: ServerResponse, nth: number) => void;

const ok: Answer = (response) => response.end('{}');

/** A collector that answers as told, and a client of it. `finish` resolves when all that was sent is settled. */
async function setUp(answer: Answer, options: OtlpOptions = {}) {
  const posts: Post[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const content = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      posts.push({ path: String(request.url), headers: request.headers, body, content });
      answer(response, posts.length);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const exporter = new TraceExporter({ destination: otlp({ url: `http://127.0.0.1:${port}/`, ...options }) });
  const processor = new TraceBatchProcessor(exporter, { scheduledDelayMillis: 0 });
  const copy = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [processor, new SimpleSpanProcessor(copy)] });
  return {
    posts,
    tracer: provider.getTracer('tests', '1'),
    spans: (): ReadableSpan[] => copy.getFinishedSpans(),
    /** Resolves once `count` spans are stored, however often it takes. */
    stored: (count: number) =>
      new Promise<void>((resolve) => {
        const stop = exporter.subscribe(({ spans }) => {
          if (spans.stored < count) return;
          stop();
          resolve();
        });
      }),
    async finish() {
      const result = await exporter.flush();
      const stats = processor.stats();
      assertLedger(stats);
      await processor.shutdown();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      return { result, stats };
    },
  };
}

const official = (spans: ReadableSpan[]): unknown =>
  JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest(spans)));

for (const length of [0, 2_000]) {
  test(`otlp by HTTP: JSON ${length ? 'with' : 'without'} gzip is what the official serializer makes`, async () => {
    const { posts, tracer, spans, finish } = await setUp(ok, { headers: { 'X-Tenant': 'a' } });
    tracer.startSpan('x'.repeat(length), { attributes: { n: 1 } }).end();
    const { result, stats } = await finish();
    assert.deepEqual([result, stats.spans.stored, stats.requests.uploads], ['stored', 1, 1]);
    const [post] = posts;
    assert.equal(post?.path, '/v1/traces');
    assert.equal(post?.headers['content-type'], 'application/json');
    assert.equal(post?.headers['content-encoding'], length ? 'gzip' : undefined);
    assert.equal(post?.headers['x-tenant'], 'a');
    assert.deepEqual(levelled(JSON.parse(String(post?.content))), levelled(official(spans())));
  });

  test(`otlp by HTTP: protobuf ${length ? 'with' : 'without'} gzip is what the official serializer makes`, async () => {
    const { posts, tracer, spans, finish } = await setUp((response) => response.end('{}'), {
      format: protobuf(ProtobufTraceSerializer),
    });
    tracer.startSpan('x'.repeat(length), { attributes: { n: 1 } }).end();
    assert.equal((await finish()).result, 'stored');
    const [post] = posts;
    assert.equal(post?.headers['content-type'], 'application/x-protobuf');
    assert.equal(post?.headers['content-encoding'], length ? 'gzip' : undefined);
    const expected = Buffer.from(ProtobufTraceSerializer.serializeRequest(spans()) as Uint8Array);
    assert.deepEqual(decodeRequest(post?.content ?? expected), decodeRequest(expected));
    assert.ok(post?.content.equals(expected));
  });
}

test('otlp by HTTP: a busy collector is tried again, with the same bytes', async () => {
  const { posts, tracer, stored, finish } = await setUp((response, nth) => {
    if (nth === 3) return response.end('{}');
    response.writeHead(nth === 1 ? 503 : 429, { 'retry-after': '0' }).end('{}');
  });
  tracer.startSpan('work').end();
  await stored(1);
  const { stats } = await finish();
  assert.equal(posts.length, 3);
  assert.ok(posts.every(({ body }) => body.equals(posts[0]?.body as Buffer)));
  assert.deepEqual([stats.requests.uploads, stats.requests.uploadFailures], [3, 2]);
});

test('otlp by HTTP: a collector that does not answer in time is tried again', async () => {
  const { posts, tracer, stored, finish } = await setUp(
    (response, nth) => {
      if (nth > 1) response.end('{}');
    },
    { timeoutMillis: 500 },
  );
  tracer.startSpan('work').end();
  await stored(1);
  await finish();
  assert.ok(posts.length >= 2);
});

test('otlp by HTTP: a refusal loses the spans, counted', async () => {
  const { tracer, finish } = await setUp((response) =>
    response.writeHead(400).end('{"code":3,"message":"bad span"}'),
  );
  tracer.startSpan('work').end();
  const { result, stats } = await finish();
  assert.equal(result, 'lost');
  assert.deepEqual(stats.spans.dropped, { rejected: 1 });
  assert.equal(stats.errors.find(({ kind }) => kind === 'rejected')?.message, 'HTTP 400: bad span');
});

for (const format of ['json', protobuf(ProtobufTraceSerializer)] as const) {
  const isJson = format === 'json';
  test(`otlp by HTTP: partial success in ${isJson ? 'JSON' : 'protobuf'} is counted`, async () => {
    const { tracer, finish } = await setUp(
      (response) =>
        response.end(
          isJson
            ? '{"partialSuccess":{"rejectedSpans":"130","errorMessage":"full"}}'
            : Uint8Array.of(0x0a, 9, 0x08, 0x82, 0x01, 0x12, 4, ...Buffer.from('full')),
        ),
      { format },
    );
    for (let spans = 0; spans < 150; spans++) tracer.startSpan('work').end();
    const { result, stats } = await finish();
    assert.equal(result, 'lost');
    assert.deepEqual([stats.spans.stored, stats.spans.dropped.rejected], [20, 130]);
  });
}

test('otlp by HTTP: nothing that a headers function begins at once is traced', async () => {
  const manager = new StackContextManager().enable();
  context.setGlobalContextManager(manager);
  try {
    const recorded: boolean[] = [];
    const client = await setUp(ok, {
      async headers() {
        recorded.push(client.tracer.startSpan('token').isRecording());
        return {};
      },
    });
    client.tracer.startSpan('work').end();
    const { result, stats } = await client.finish();
    assert.deepEqual([result, stats.spans.created], ['stored', 1]);
    assert.ok(recorded.length > 0 && !recorded.includes(true));
    assert.equal(client.tracer.startSpan('after').isRecording(), true);
  } finally {
    context.disable();
  }
});
