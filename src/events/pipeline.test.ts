import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { BatchSpanProcessor, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-web';
import { assertLedger, testClient } from '../testing/client.js';
import { testClock } from '../testing/clock.js';
import { assertEventLedger } from '../testing/event-spans.js';
import { EventSpans } from './event-spans.js';
import type { EventSpansOptions } from './options.js';

interface Otlp {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue: string } }[] };
    scopeSpans: { scope: { name: string }; spans: Record<string, unknown>[] }[];
  }[];
}

const spansIn = ({ resourceSpans }: Otlp): Record<string, unknown>[] =>
  resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));

/** Events of every kind. */
function tell(spans: EventSpans): void {
  spans.handle('outer.started', { id: 1, items: ['a', 'b'], user: { name: 'n' } });
  spans.handle('tick', { n: 1.5, password: 'p' });
  spans.handle('inner.started');
  spans.handle('inner.failed', { error: new TypeError('no') });
  spans.record('measured', {}, spans.now() - 5, spans.now());
  spans.handle('outer.completed', { id: 1 });
  spans.handle('dangling.started');
}

test('events: through TraceBatchProcessor and TraceExporter into the bucket, as the official serializer has them', async () => {
  const { processor, platform, cloud } = testClient({ served: true, scheduledDelayMillis: 0 });
  const ended: unknown[] = [];
  const both: EventSpansOptions['processor'] = {
    onStart: (span, context) => processor.onStart(span, context),
    onEnd(span) {
      ended.push(span);
      processor.onEnd(span);
    },
  };
  const clock = testClock(platform.monotonic, platform.now() - platform.monotonic());
  const spans = new EventSpans({ processor: both, service: 'shop', session: { id: 's' } }, clock);
  tell(spans);
  await platform.advance(1_000);
  assert.equal(processor.stats().buffer.open, 3);
  spans.finalize();
  await platform.advance(2_000);
  assertLedger(processor.stats(), 6);
  assertEventLedger(spans.stats());
  assert.deepEqual([processor.stats().spans.stored, processor.stats().buffer.open], [6, 0]);

  const theirs = JSON.parse(
    Buffer.from(JsonTraceSerializer.serializeRequest(ended as never) ?? []).toString(),
  ) as Otlp;
  const stored = [...cloud.objects.values()].map((bytes) => JSON.parse(gunzipSync(bytes).toString()) as Otlp);
  const resource = stored[0]?.resourceSpans[0];
  assert.equal(resource?.resource.attributes[0]?.value.stringValue, 'shop');
  assert.equal(resource?.scopeSpans[0]?.scope.name, 'spandrel/events');
  const fields = (span: Record<string, unknown>) =>
    ['name', 'traceId', 'spanId', 'parentSpanId', 'startTimeUnixNano', 'endTimeUnixNano', 'kind'].map(
      (key) => span[key],
    );
  const byId = (spans: Record<string, unknown>[]) =>
    spans.map(fields).sort((a, b) => (String(a[2]) < String(b[2]) ? -1 : 1));
  assert.deepEqual(byId(stored.flatMap(spansIn)), byId(spansIn(theirs)));
});

test('events: as the page leaves, what is open is ended by the trace buffer, stored, and over for us', async () => {
  const { processor, platform, cloud } = testClient({ served: true });
  const spans = new EventSpans({ processor, service: 'shop' });
  tell(spans);
  platform.page('leaving');
  assert.equal(spans.handle('late'), false);
  const { open, tracks, ignored, interrupted } = spans.stats();
  assert.deepEqual([open, tracks, ignored, interrupted], [0, 0, { finalized: 1 }, 1]);
  assertEventLedger(spans.stats());
  spans.finalize();
  await platform.advance(10_000);
  const bodies = [...cloud.objects.values()].map((bytes) => gunzipSync(bytes).toString());
  const stored = bodies.flatMap((body) => spansIn(JSON.parse(body)));
  assert.deepEqual(stored.map(({ name }) => name).sort(), [
    ...['dangling', 'inner', 'main', 'measured', 'outer', 'session'],
  ]);
  const marked = stored.filter((span) => JSON.stringify(span).includes('spandrel.interrupted'));
  assert.deepEqual(marked.map(({ name }) => name).sort(), ['dangling', 'main', 'session']);
  assertLedger(processor.stats(), 6);
});

for (const Processor of [SimpleSpanProcessor, BatchSpanProcessor]) {
  test(`events: through ${Processor.name} of the SDK`, async () => {
    const exporter = new InMemorySpanExporter();
    const processor = new Processor(exporter);
    const spans = new EventSpans({ processor, service: 'shop' });
    tell(spans);
    spans.finalize();
    await processor.forceFlush();
    const names = exporter.getFinishedSpans().map(({ name }) => name);
    assert.deepEqual(names, ['inner', 'measured', 'outer', 'dangling', 'main', 'session']);
    await processor.shutdown();
  });
}
