import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api';
import { JsonLogsSerializer } from '@opentelemetry/otlp-transformer';
import { LoggerProvider } from '@opentelemetry/sdk-logs';
import { momentsOf } from './moments.mjs';
import { readPageFacts } from './page-facts.mjs';
import { isLogsRequest, parseLogs } from './parse-logs.mjs';
import { parseRequest } from './parse-otlp.mjs';
import { span } from './testing/page-trace.mjs';
import { createTraces } from './traces.mjs';

const TRACE = 'a'.repeat(32);
const SPAN = 'b'.repeat(16);

/** Records of the real SDK, as the official transformer writes them. */
function official() {
  const emitted = [];
  const provider = new LoggerProvider({
    processors: [
      { onEmit: (record) => emitted.push(record), forceFlush: async () => {}, shutdown: async () => {} },
    ],
  });
  const logger = provider.getLogger('warehouse');
  const spanContext = { traceId: TRACE, spanId: SPAN, traceFlags: TraceFlags.SAMPLED };
  const context = trace.setSpanContext(ROOT_CONTEXT, spanContext);
  const timestamp = /** @type {[number, number]} */ ([1_700_000_000, 123_456_789]);
  logger.emit({ body: 'held', severityNumber: 9, attributes: { left: 3 }, timestamp, context });
  logger.emit({ body: { left: 0 }, severityNumber: 13, timestamp, context });
  logger.emit({ eventName: 'stock.gone', severityNumber: 17, timestamp, context });
  logger.emit({ body: 'of no trace' });
  return JSON.parse(new TextDecoder().decode(JsonLogsSerializer.serializeRequest(emitted)));
}

test('logs: what the official SDK writes is read, by trace', () => {
  const request = official();
  assert.equal(isLogsRequest(request), true);
  const logs = parseLogs(request);
  assert.deepEqual([...logs.keys()], [TRACE]);
  assert.deepEqual(
    logs.get(TRACE).map(({ spanId, time, level, text }) => [spanId, time, level, text]),
    [
      [SPAN, 1_700_000_000_123_456_789n, 'info', 'held'],
      [SPAN, 1_700_000_000_123_456_789n, 'warn', '{left: 0}'],
      [SPAN, 1_700_000_000_123_456_789n, 'error', 'stock.gone'],
    ],
  );
});

test('logs: no shape throws, and what tells no trace is left out', () => {
  for (const request of [null, [], {}, { resourceSpans: [] }]) assert.equal(isLogsRequest(request), false);
  for (const record of [7, {}, { traceId: 7 }, { traceId: '0'.repeat(32) }, { traceId: 'xyz' }])
    assert.equal(parseLogs({ resourceLogs: [7, { scopeLogs: [7, { logRecords: [record] }] }] }).size, 0);
  const odd = { traceId: TRACE, body: 7, severityNumber: 'x', timeUnixNano: {}, attributes: 'none' };
  const [log] = parseLogs({ resourceLogs: [{ scopeLogs: [{ logRecords: [odd] }] }] }).get(TRACE);
  assert.deepEqual([log.text, log.level, log.time, log.attributes], ['(no body)', '', undefined, []]);
});

test('logs: each is a moment of its trace, whichever was read first, and once', () => {
  const times = { startTimeUnixNano: '1700000000000000000', endTimeUnixNano: '1700000001000000000' };
  const spans = [{ traceId: TRACE, spanId: SPAN, name: 'GET', ...times }];
  const parsed = parseRequest({ resourceSpans: [{ scopeSpans: [{ spans }] }] }).traces;
  const logs = parseLogs(official());
  for (const first of ['spans', 'logs']) {
    const traces = createTraces();
    if (first === 'logs') traces.addLogs({ key: 'logs_1' }, logs);
    traces.add({ key: 'traces_1', size: 1, uploadedAt: 1 }, parsed);
    const { revision } = traces.get(TRACE);
    if (first === 'spans') traces.addLogs({ key: 'logs_1' }, logs);
    traces.addLogs({ key: 'logs_1' }, logs);
    const found = traces.get(TRACE);
    assert.equal(found.logs.length, 3);
    assert.equal(found.revision - revision, first === 'spans' ? 1 : 0);
    assert.deepEqual(
      momentsOf(found.summary, found.logs).map(({ kind, label, rated, rating, spanId }) => [
        kind,
        label,
        rated,
        rating,
        spanId,
      ]),
      [
        ['log', 'held', 'info', '', SPAN],
        ['log', '{left: 0}', 'warn', 'needs-improvement', SPAN],
        ['log', 'stock.gone', 'error', 'poor', SPAN],
      ],
    );
  }
  assert.deepEqual(momentsOf(readPageFacts([span()])), []);
});

test('logs: of a trace, and of traces that never come, no more are kept than so many', () => {
  const traces = createTraces();
  const log = { traceId: TRACE, spanId: '', time: 1n, level: '', text: 'x', attributes: [], serviceName: '' };
  for (let part = 0; part < 3; part++)
    traces.addLogs({ key: `logs_${part}` }, new Map([[TRACE, Array(600).fill(log)]]));
  const parsed = parseRequest({
    resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: TRACE, spanId: SPAN }] }] }],
  }).traces;
  traces.add({ key: 'traces_1', size: 1, uploadedAt: 1 }, parsed);
  assert.equal(traces.get(TRACE).logs.length, 1_000);
});
