/** The client in a test's world: real spans of the real SDK through processor, exporter and bucket. */
import assert from 'node:assert/strict';
import { ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-web';
import { bucket } from '../bucket/bucket.js';
import type { Destination } from '../destinations/destination.js';
import { tee } from '../destinations/tee.js';
import type { Stats } from '../diagnostics/stats.js';
import type { BucketTuning, BufferOptions, ExporterOptions } from '../options.js';
import type { ConsentOptions, RedactionOptions } from '../page-options.js';
import { TraceBatchProcessor } from '../trace-batch-processor.js';
import { TraceExporter } from '../trace-exporter.js';
import { type Cloud, ENDPOINT, OTHER_ENDPOINT, serveAll, testCloud } from './cloud.js';
import type { TestOrigin } from './origin.js';
import { type TestPlatform, type TestPlatformOptions, testPlatform } from './platform.js';

// The stream takes its own time, which no test clock knows; `compress.test.ts` is about it.
Reflect.deleteProperty(globalThis, 'CompressionStream');

export interface TestClient {
  platform: TestPlatform;
  cloud: Cloud;
  /** In the order of the destinations; the first is `cloud`. */
  clouds: readonly Cloud[];
  exporter: TraceExporter;
  processor: TraceBatchProcessor;
  /** Starts a span: a root, or a child of `parent`. */
  startSpan(name?: string, parent?: Span): Span;
  /** Starts and ends as many spans of one trace, root last. */
  endTrace(spanCount?: number): void;
}

/**
 * @param options of exporter, processor and bucket together; `served` answers everything at once; `cloud`, `clouds`:
 *   what an earlier page of the same `origin` spoke to; `tees` to a second bucket, or `places` to these.
 */
export function testClient(
  options: ExporterOptions &
    BufferOptions &
    BucketTuning &
    RedactionOptions &
    ConsentOptions &
    Pick<TestPlatformOptions, 'nowMillis' | 'seed' | 'defers' | 'cachesEarly'> & {
      served?: boolean;
      origin?: TestOrigin | undefined;
      cloud?: Cloud;
      clouds?: readonly Cloud[];
      tees?: boolean;
      /** Endpoints, in the order of the destinations. */
      places?: readonly string[];
    } = {},
): TestClient {
  const { served = false, scheduledDelayMillis, maxBufferedSpans, ...others } = options;
  const {
    origin,
    seed = 1,
    defers = false,
    cachesEarly = true,
    nowMillis = 1_790_000_000_000,
    cloud: first,
    clouds: known = first ? [first] : [],
    tees = false,
    places = tees ? [ENDPOINT, OTHER_ENDPOINT] : [ENDPOINT],
    ...rest
  } = others;
  const { project, relay, headers, ...exporting } = rest;
  const platform = testPlatform({ origin, seed, nowMillis, defers, cachesEarly });
  const clouds = places.map(
    (place) => known.find((cloud) => cloud.owns({ url: place })) ?? testCloud(platform, place),
  );
  const [cloud] = clouds as [Cloud];
  if (served) serveAll(clouds, platform);
  const tuning = JSON.parse(JSON.stringify({ project, relay }));
  const buckets = places.map((endpoint) => bucket({ endpoint, ...tuning, ...(headers && { headers }) }));
  const destination = buckets.length > 1 ? tee(...(buckets as [Destination, Destination])) : buckets[0];
  const exporter = new TraceExporter({ destination: destination as Destination, ...exporting }, platform);
  const processor = new TraceBatchProcessor(
    exporter,
    JSON.parse(JSON.stringify({ scheduledDelayMillis, maxBufferedSpans })),
  );
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  const tracer = provider.getTracer('tests');
  const startSpan: TestClient['startSpan'] = (name = 'work', parent) =>
    tracer.startSpan(name, {}, parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT);
  return {
    platform,
    cloud,
    clouds,
    exporter,
    processor,
    startSpan,
    endTrace(spanCount = 1) {
      const root = startSpan('root');
      for (let index = 1; index < spanCount; index++) startSpan('child', root).end();
      root.end();
    },
  };
}

/** @throws {AssertionError} unless every span that was created is stored, waiting or dropped, at each destination. */
export function assertLedger({ spans, others }: Stats, created: number = spans.created): void {
  for (const other of others) assertLedger(other);
  const dropped = Object.values(spans.dropped).reduce((sum, count) => sum + count, 0);
  assert.equal(spans.created, created, 'created');
  const gone = spans.stored + spans.waiting + dropped + spans.handedOver;
  assert.equal(gone, spans.created + spans.adopted, JSON.stringify(spans));
  assert.ok(spans.waiting >= 0, 'waiting is negative');
}
