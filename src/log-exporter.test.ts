import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Context, ROOT_CONTEXT, type SpanContext, trace } from '@opentelemetry/api';
import type { LogRecord } from '@opentelemetry/api-logs';
import { JsonLogsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchLogRecordProcessor,
  LoggerProvider,
  type ReadableLogRecord as SdkLogRecord,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import { bucket } from './bucket/bucket.js';
import { tee } from './destinations/tee.js';
import { LogBatchProcessor } from './log-batch-processor.js';
import { LogExporter, type LogExporterOptions, type ReadableLogRecord } from './log-exporter.js';
import { assertLedger } from './testing/client.js';
import { ENDPOINT, isExchange, testCloud } from './testing/cloud.js';
import { testOrigin } from './testing/origin.js';
import { settle, testPlatform } from './testing/platform.js';
import { levelled } from './testing/sdk-spans.js';
import { TraceExporter } from './trace-exporter.js';

const AT: [number, number] = [1_790_000_000, 5];
const CONTEXT: SpanContext = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), traceFlags: 1 };
const IN_TRACE = trace.setSpanContext(ROOT_CONTEXT, CONTEXT);

const RECORDS: (LogRecord & { context?: Context })[] = [
  { body: 'plain', severityNumber: 9, severityText: 'INFO', timestamp: AT },
  { body: 'in a trace', severityNumber: 17, context: IN_TRACE, timestamp: AT, observedTimestamp: AT },
  { eventName: 'browser.navigation', attributes: { 'url.full': 'https://a.test/x', n: 1.5, ok: true } },
  { body: { list: [1, 'two', { three: 3 }], none: null } as never, attributes: { list: ['a', 'b'] } },
  { body: '"quoted"\n\u2028', attributes: { 'exception.type': 'TypeError', big: 2 ** 40 } },
  {},
];

/** What an SDK hands to its exporter of these. */
function sdkRecords(records = RECORDS): ReadableLogRecord[] {
  const taken: SdkLogRecord[] = [];
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop' }),
    processors: [
      new SimpleLogRecordProcessor({
        exporter: {
          export(given: SdkLogRecord[], done) {
            taken.push(...given);
            done({ code: 0 });
          },
          forceFlush: async () => {},
          shutdown: async () => {},
        },
      }),
    ],
  });
  const logger = provider.getLogger('app', '1.2', { schemaUrl: 'https://opentelemetry.io/schemas/1.44.0' });
  for (const record of records) logger.emit(record);
  return taken as unknown as ReadableLogRecord[];
}

function open({
  origin = testOrigin(),
  cloud: earlier,
  ...options
}: {
  origin?: ReturnType<typeof testOrigin>;
  cloud?: ReturnType<typeof testCloud>;
} & Partial<LogExporterOptions> = {}) {
  const platform = testPlatform({ origin, nowMillis: 1_790_000_000_000 });
  const cloud = earlier ?? testCloud(platform);
  cloud.serve(platform);
  const exporter = new LogExporter({ destination: bucket({ endpoint: ENDPOINT }), ...options }, platform);
  const send = (records: ReadableLogRecord[]): Promise<number> =>
    new Promise((resolve) => exporter.export(records, ({ code }) => resolve(code)));
  return { platform, cloud, exporter, send };
}

const bodies = (cloud: ReturnType<typeof testCloud>): string[] =>
  cloud
    .texts()
    .flatMap((text) => JSON.parse(text).resourceLogs ?? [])
    .flatMap(({ scopeLogs }) => scopeLogs)
    .flatMap(({ logRecords }) => logRecords)
    .map(({ body }) => body?.stringValue);

test('logs: every field is what the official JSON serializer makes of the same records', async () => {
  const records = sdkRecords();
  const { platform, cloud, exporter, send } = open({ redaction: false });
  const exported = send(records);
  await platform.advance(100);
  assert.equal(await exported, 0);
  await platform.advance(5_000);
  const [text = ''] = cloud.texts();
  const theirs = JSON.parse(new TextDecoder().decode(JsonLogsSerializer.serializeRequest(records as never)));
  assert.deepEqual(levelled(JSON.parse(text)), levelled(theirs));
  assert.equal(cloud.texts().length, 1);
  assert.equal(exporter.stats().spans.stored, RECORDS.length);
  // The oracle has seen what it is meant to see.
  for (const word of ['eventName', '"severityNumber":17', 'cdcdcdcd', 'kvlistValue', 'schemas/1.44.0'])
    assert.ok(JSON.stringify(theirs).includes(word), word);
});

test('logs: the endpoint is asked for logs and told of logs; nothing is said of spans', async () => {
  const { platform, cloud, exporter, send } = open();
  void send(sdkRecords());
  await platform.advance(5_000);
  void exporter.flush();
  await platform.advance(1_000);
  const wants = cloud.exchanges.flatMap(({ wants }) => wants);
  assert.deepEqual(
    wants.map(({ signal }) => signal),
    ['logs'],
  );
  const [receipt, ...more] = cloud.receipts;
  assert.deepEqual(more, []);
  const { signal, spanCount, logRecordCount, traces } = receipt ?? {};
  assert.deepEqual(
    { signal, spanCount, logRecordCount, traces },
    { signal: 'logs', spanCount: 0, logRecordCount: 6, traces: [] },
  );
  for (const { page, lost } of cloud.exchanges) assert.deepEqual([page, lost], [undefined, {}]);
});

test('logs: what an earlier page left is sent by the next exporter of logs, not by one of traces', async () => {
  const origin = testOrigin();
  const first = open({ origin });
  first.platform.onRequest = () => {};
  void first.send(sdkRecords([{ body: 'left' }]));
  await first.platform.advance(2_000);
  first.platform.crash();
  const platform = testPlatform({ origin, seed: 50, nowMillis: first.platform.now() + 1_000 });
  first.cloud.serve(platform);
  const traces = new TraceExporter({ destination: bucket({ endpoint: ENDPOINT }) }, platform);
  await platform.advance(120_000);
  assert.deepEqual([traces.stats().spans.adopted, bodies(first.cloud)], [0, []]);
  platform.crash();
  const next = testPlatform({ origin, seed: 90, nowMillis: platform.now() + 1_000 });
  first.cloud.serve(next);
  const logs = new LogExporter({ destination: bucket({ endpoint: ENDPOINT }) }, next);
  await next.advance(120_000);
  assert.deepEqual([logs.stats().spans.adopted, bodies(first.cloud)], [1, ['left']]);
  assert.deepEqual(origin.keys(), []);
});

test('logs: a page that leaves sends its last ones by a relay of logs', async () => {
  const { platform, cloud, exporter, send } = open();
  await settle();
  void send(sdkRecords([{ body: 'last' }]));
  platform.page('leaving');
  await settle();
  const [beacon] = platform.beacons.filter((one) => !isExchange(one));
  assert.match(String(beacon?.url), /\?relay=[\da-f-]{36}&signal=logs$/);
  if (beacon) await cloud.arrive(beacon);
  assert.deepEqual(bodies(cloud), ['last']);
  assert.equal(exporter.stats().exceptions, 0);
});

test('logs: redacted by default, and by the hook, which may drop', async () => {
  const seen: unknown[] = [];
  const { platform, cloud, exporter, send } = open({
    redact(record) {
      seen.push({ ...record });
      record.body = `${record.body} seen`;
      return record.attributes['keep'] !== false;
    },
  });
  void send(
    sdkRecords([
      { body: 'GET https://a.test/x?token=abc123 failed', attributes: { password: 'hunter2', keep: true } },
      { body: 'dropped', attributes: { keep: false } },
    ]),
  );
  await platform.advance(5_000);
  assert.deepEqual(bodies(cloud), ['GET https://a.test/x?token=REDACTED failed seen']);
  const text = JSON.stringify([cloud.texts(), seen]);
  assert.doesNotMatch(text, /abc123|hunter2/);
  assert.deepEqual(exporter.stats().spans.dropped, { redacted: 1 });
});

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;
const [sdkRecord] = sdkRecords([{ body: 'good' }]) as [ReadableLogRecord];
/** As the SDK's, whose fields are getters of its class. */
const good: ReadableLogRecord = {
  hrTime: AT,
  hrTimeObserved: AT,
  body: 'good',
  attributes: {},
  droppedAttributesCount: 0,
  resource: sdkRecord.resource,
  instrumentationScope: sdkRecord.instrumentationScope,
};
const BAD: Record<string, [unknown, lost: number]> = {
  'null in place of a record': [null, 1],
  'a text in place of a record': ['x', 1],
  'a getter that throws': [Object.defineProperty({ ...good }, 'body', { get: () => assert.fail() }), 1],
  'attributes that are none': [{ ...good, attributes: null }, 0],
  'a body of two megabytes': [{ ...good, body: 'x'.repeat(2 ** 21) }, 1],
  'times that are none': [{ ...good, hrTime: [Number.NaN, 0], hrTimeObserved: [-1, 0] }, 0],
  'a severity that is none': [{ ...good, severityNumber: 99 }, 0],
  'ids that are malformed': [{ ...good, spanContext: { ...CONTEXT, spanId: 'x' } }, 0],
  'a cyclic body': [{ ...good, body: cyclic }, 0],
  'a body that is a function': [{ ...good, body: () => {} }, 0],
};
for (const [name, [record, lost]] of Object.entries(BAD)) {
  test(`logs: ${name} keeps no other from being stored`, async () => {
    const { platform, cloud, exporter, send } = open();
    const exported = send([good, record as ReadableLogRecord, good]);
    await platform.advance(5_000);
    assert.equal(await exported, lost ? 1 : 0);
    assert.equal(bodies(cloud).filter((body) => body === 'good').length >= 2, true);
    assert.equal(bodies(cloud).length, 3 - lost);
    assert.equal(
      Object.values(exporter.stats().spans.dropped).reduce((a, b) => a + b, 0),
      lost,
    );
    assertLedger(exporter.stats());
  });
}

test('logs: a thousand in a second are bounded, counted, and few objects', async () => {
  const { platform, cloud, exporter } = open({ maxOutboxBlobs: 1 });
  const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
  const logger = provider.getLogger('console');
  for (let line = 0; line < 1_000; line++) logger.emit({ body: `line ${line}` });
  void provider.forceFlush();
  await platform.advance(60_000);
  assert.equal(new Set(bodies(cloud)).size, 1_000);
  assert.ok(cloud.texts().length <= 3, String(cloud.texts().length));
  assertLedger(exporter.stats(), 1_000);
});

test('logs: what was said in the very task in which the page leaves goes with it', async () => {
  const { platform, cloud, exporter } = open();
  const provider = new LoggerProvider({ processors: [new LogBatchProcessor(exporter)] });
  await settle();
  provider.getLogger('app').emit({ body: 'last' });
  platform.page('leaving');
  for (const beacon of platform.beacons) if (!isExchange(beacon)) await cloud.arrive(beacon);
  assert.deepEqual(bodies(cloud), ['last']);
});

test('logs: a page that logs on and on is not waited for', async () => {
  const { platform, cloud, exporter } = open();
  const processor = new LogBatchProcessor(exporter);
  const logger = new LoggerProvider({ processors: [processor] }).getLogger('app');
  for (let line = 0; line < 200; line++) {
    logger.emit({ body: `line ${line}` });
    await platform.advance(300);
  }
  assert.ok(bodies(cloud).length >= 90, `${bodies(cloud).length} of 200 in a minute`);
});

test('logs: more than the buffer holds are counted, and the rest goes', async () => {
  const { platform, cloud, exporter } = open();
  const processor = new LogBatchProcessor(exporter, { maxBufferedSpans: 512 });
  const logger = new LoggerProvider({ processors: [processor] }).getLogger('app');
  for (let line = 0; line < 1_000; line++) logger.emit({ body: `line ${line}` });
  await platform.advance(60_000);
  const { dropped, stored } = exporter.stats().spans;
  assert.equal((dropped['buffer-full'] ?? 0) + stored, 1_000);
  assert.equal(bodies(cloud).length, stored);
  assert.ok(stored > 400 && stored <= 512, `${stored} are kept`);
  assert.equal(bodies(cloud).at(-1), 'line 999');
  assertLedger(exporter.stats(), 1_000);
});

test('logs: nothing before consent, all after; nothing once it is denied', async () => {
  const { platform, cloud, exporter, send } = open({ consent: 'pending' });
  void send(sdkRecords([{ body: 'held' }]));
  await platform.advance(60_000);
  assert.deepEqual(cloud.texts(), []);
  exporter.setConsent('granted');
  await platform.advance(60_000);
  assert.deepEqual(bodies(cloud), ['held']);
  exporter.setConsent('denied');
  await send(sdkRecords([{ body: 'denied' }]));
  await platform.advance(60_000);
  assert.deepEqual(bodies(cloud), ['held']);
});

test('logs: options', () => {
  const one = bucket({ endpoint: ENDPOINT });
  const other = bucket({ endpoint: 'https://other.test/' });
  for (const [options, error] of [
    [undefined, /LogExporter takes an object of options, got undefined/],
    [{}, /option "destination" takes a destination such as bucket/],
    [{ destination: tee(one, other) }, /option "destination" takes bucket\(\{ … \}\), alone/],
    [{ destination: one, maxOutboxBlobs: 0 }, /option "maxOutboxBlobs" takes/],
    [{ destination: one, colour: 1 }, /LogExporter has no option "colour"/],
  ] as const) {
    assert.throws(() => new LogExporter(options as never), error);
  }
  assert.throws(() => new LogBatchProcessor({} as never), /option "exporter" takes a LogExporter/);
});
