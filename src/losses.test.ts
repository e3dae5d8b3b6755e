/** Every way to lose a span has a name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TraceResult } from './diagnostics/stats.js';
import type { DropReason } from './pipeline/model.js';
import { assertLedger, type TestClient, testClient } from './testing/client.js';
import { isExchange, isUpload } from './testing/cloud.js';
import { settle, until } from './testing/platform.js';

/** One way to each loss; the type asks for a new one with each new reason. */
const LOSSES: Record<DropReason, () => Promise<TestClient>> = {
  async 'buffer-full'() {
    const client = testClient({ maxBufferedSpans: 512 });
    for (let traces = 0; traces < 513; traces++) client.endTrace();
    return client;
  },
  async 'outbox-full'() {
    const client = testClient({ maxOutboxBlobs: 1, maxTracesPerBlob: 1 });
    const { platform, cloud } = client;
    platform.onRequest = (request) => void cloud.answer(request, 'overloaded');
    client.endTrace();
    client.endTrace();
    await platform.advance(60_000);
    return client;
  },
  async 'too-old'() {
    const client = testClient({ maxOutboxAgeMillis: 60_000 });
    client.platform.onRequest = (request) => void client.cloud.answer(request, 'overloaded');
    client.endTrace();
    await client.platform.advance(900_000);
    return client;
  },
  async unencodable() {
    const client = testClient();
    client.processor.onEnd({
      spanContext: () => ({ traceId: 'x', spanId: 'y', traceFlags: 1 }),
    } as never);
    await client.platform.advance(1_000);
    return client;
  },
  async 'too-large'() {
    const client = testClient();
    client.startSpan('x'.repeat(1_100_000)).end();
    await client.platform.advance(1_000);
    return client;
  },
  async redacted() {
    const client = testClient({ redact: ({ name }) => name !== 'child' });
    client.endTrace(2);
    await client.platform.advance(1_000);
    return client;
  },
  async consent() {
    const client = testClient({ consent: 'pending' });
    client.endTrace();
    client.exporter.setConsent('denied');
    return client;
  },
  async rejected() {
    const client = testClient();
    const { platform, cloud } = client;
    platform.onRequest = (request) => void cloud.answer(request, isUpload(request) ? 'refused' : 'done');
    client.endTrace();
    await platform.advance(1_000);
    return client;
  },
  async paused() {
    const client = testClient({ served: true });
    client.cloud.paused = true;
    client.endTrace();
    await client.platform.advance(1_000);
    return client;
  },
  async shutdown() {
    const client = testClient({ shutdownTimeoutMillis: 1_000 });
    client.endTrace();
    const ended = client.processor.shutdown();
    await client.platform.advance(1_000);
    await ended;
    return client;
  },
};

for (const [reason, lose] of Object.entries(LOSSES)) {
  test(`losses: a loss by ${reason} is counted under that name alone, and told to subscribers as a trouble`, async () => {
    const stats = (await lose()).processor.stats();
    const { dropped } = stats.spans;
    assert.deepEqual(Object.keys(dropped), [reason]);
    assert.ok((dropped[reason as DropReason] ?? 0) > 0);
    assert.ok(stats.errors.some(({ kind }) => kind === reason));
    assertLedger(stats);
  });
}

test('losses: what a redact function throws is counted, and its span is not sent', async () => {
  const { processor, platform, cloud, startSpan } = testClient({
    served: true,
    redact: ({ name }) => name !== 'bad' || assert.fail('planted'),
  });
  startSpan('bad').end();
  startSpan('good').end();
  await platform.advance(2_000);
  await until(() => cloud.objects.size > 0);
  const { spans, exceptions } = processor.stats();
  assert.deepEqual([spans.dropped, exceptions], [{ redacted: 1 }, 1]);
  assert.doesNotMatch(cloud.texts().join(), /"bad"/);
});

test('losses: a blob that was evicted while it was under way counts once, whatever its answer', async () => {
  for (const status of [200, 400, 503]) {
    const client = testClient({ maxOutboxBlobs: 1, scheduledDelayMillis: 0 });
    const { processor, platform, cloud } = client;
    platform.onRequest = (request) => void (isExchange(request) && cloud.answer(request));
    client.endTrace();
    await platform.advance(1_000);
    client.endTrace();
    await platform.advance(1_000);
    for (const request of platform.pending.filter(isUpload)) request.answer({ status });
    await settle();
    assertLedger(processor.stats(), 2);
    cloud.serve();
    await platform.advance(600_000);
    assertLedger(processor.stats(), 2);
    const { stored, waiting, dropped } = processor.stats().spans;
    assert.equal(waiting, 0);
    assert.equal(stored + (dropped['outbox-full'] ?? 0) + (dropped.rejected ?? 0), 2);
  }
});

test('losses: shutdown tells the server of what is lost by it', async () => {
  const { processor, platform, cloud, endTrace } = testClient({ shutdownTimeoutMillis: 1_000 });
  platform.onBeacon = (beacon) => void cloud.arrive(beacon);
  endTrace();
  const ended = processor.shutdown();
  await platform.advance(1_000);
  await ended;
  await settle();
  assert.deepEqual(cloud.lost, { shutdown: 1 });
  assertLedger(processor.stats(), 1);
});

test('losses: looking at the stats changes nothing, as what has become too old still waits', async () => {
  const { processor, platform, endTrace } = testClient({ maxOutboxAgeMillis: 60_000 });
  endTrace();
  await platform.advance(10_000);
  platform.jump(120_000);
  assertLedger(processor.stats(), 1);
  assertLedger(processor.stats(), 1);
  assert.equal(processor.stats().spans.waiting, 1);
});

test('losses: each trace is told of once it is stored, or lost and why', async () => {
  const client = testClient({ served: true, maxBufferedSpans: 512, scheduledDelayMillis: 0 });
  const heard: TraceResult[] = [];
  const stop = client.exporter.onTrace((result) => {
    heard.push(result);
    throw new Error('planted');
  });
  const kept = client.startSpan('kept');
  client.startSpan('child', kept).end();
  kept.end();
  await client.platform.advance(2_000);
  await until(() => heard.length > 0);
  const { traceId } = kept.spanContext();
  assert.deepEqual(heard.splice(0), [{ traceId, spanCount: 2, status: 'stored' }]);
  const crowd = Array.from({ length: 600 }, () => client.startSpan('one of many'));
  for (const span of crowd) span.end();
  const lost = client.exporter.stats().spans.dropped['buffer-full'];
  assert.deepEqual(
    heard.map(({ status, spanCount }) => [status, spanCount]),
    Array.from({ length: lost ?? 0 }, () => ['lost', 1]),
  );
  assert.ok(heard.every((result) => result.status === 'lost' && result.reason === 'buffer-full'));
  stop();
  await client.platform.advance(60_000);
  assert.equal(heard.length, lost, 'and not after it is ended');
});
