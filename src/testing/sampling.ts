/** Sampling in a test's world: real spans of the real SDK, as `start()` joins the parts. */
import { type Attributes, ROOT_CONTEXT, type Span, type SpanContext, trace } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
import { bucket } from '../bucket/bucket.js';
import type { SamplingOptions } from '../page-options.js';
import type { ReadableSpan } from '../pipeline/model.js';
import { createSampling, type Sampling } from '../spa/sampling.js';
import { TraceBatchProcessor } from '../trace-batch-processor.js';
import { TraceExporter } from '../trace-exporter.js';
import { type Cloud, ENDPOINT, testCloud } from './cloud.js';
import { type TestOrigin, testOrigin } from './origin.js';
import { type TestPlatform, testPlatform } from './platform.js';

export interface SamplingClient {
  platform: TestPlatform;
  cloud: Cloud;
  exporter: TraceExporter;
  sampling: Sampling;
  processor: TraceBatchProcessor;
  /** What was kept, in the order in which it ended or was decided. */
  kept: ReadableSpan[];
  startSpan(name?: string, parent?: Span | SpanContext, attributes?: Attributes): Span & ReadableSpan;
  /** A span that ends with the status ERROR. */
  fail(parent?: Span): void;
}

export function samplingClient(
  options: SamplingOptions = {},
  {
    limits = {},
    origin = testOrigin(),
    session,
    nowMillis = 1_790_000_000_000,
  }: {
    limits?: { maxBufferedSpans?: number; maxOutboxBlobs?: number };
    origin?: TestOrigin;
    session?: () => string;
    nowMillis?: number;
  } = {},
): SamplingClient {
  const platform = testPlatform({ origin, nowMillis, seed: origin.keys().length + 1 });
  const cloud = testCloud(platform);
  cloud.serve();
  const { maxBufferedSpans = 5_000, maxOutboxBlobs = 1_000 } = limits;
  const destination = bucket({ endpoint: ENDPOINT });
  const exporter = new TraceExporter({ destination, maxOutboxBlobs }, platform);
  const { diagnostics, pipeline } = exporter;
  const { buffer } = pipeline;
  const sampling = createSampling(
    {
      ...{ platform, diagnostics, buffer, ask: pipeline.ask },
      notes: () => platform.notes,
      place: destination.id ?? '',
      sessionId: session,
    },
    options,
    { maxBufferedSpans, maxOutboxBlobs, maxOutboxBytes: 20_971_520 },
  );
  exporter.onRules = sampling.rules;
  const processor = new TraceBatchProcessor(exporter, { maxBufferedSpans, scheduledDelayMillis: 0 });
  const list: ReadableSpan[] = [];
  const { next } = buffer;
  buffer.next = () => {
    const entry = next();
    if (entry) list.push(entry.span);
    return entry;
  };
  // Whoever looks finds what would be looked at in the next idle moment.
  const kept = new Proxy(list, {
    get(target, name) {
      if (buffer.counts().kept) void pipeline.take([]);
      return Reflect.get(target, name);
    },
  });
  // Ids that are the same in every run.
  const hex = (bytes: number): string => Buffer.from(platform.randomBytes(bytes)).toString('hex');
  const provider = new BasicTracerProvider({
    sampler: sampling.sampler,
    idGenerator: { generateTraceId: () => hex(16), generateSpanId: () => hex(8) },
    spanProcessors: [processor as never],
  });
  const tracer = provider.getTracer('tests');
  const startSpan: SamplingClient['startSpan'] = (name = 'work', parent, attributes = {}) => {
    const context = parent && 'traceId' in parent ? parent : parent?.spanContext();
    const around = context ? trace.setSpanContext(ROOT_CONTEXT, context) : ROOT_CONTEXT;
    return tracer.startSpan(name, { attributes, startTime: platform.now() }, around) as Span & ReadableSpan;
  };
  return {
    ...{ platform, cloud, exporter, sampling, processor, kept, startSpan },
    fail: (parent) => startSpan('fails', parent).setStatus({ code: 2 }).end(platform.now()),
  };
}
