/** Requests of OTLP that have every field, and small ones. For tests only. */
import { NOW_MILLIS } from './ingest-harness.js';

// biome-ignore lint/suspicious/noExplicitAny: JSON that tests bend as they like
type Json = any;

export const nanos = (afterMillis: number): string => `${NOW_MILLIS + afterMillis}000123`;
export const TRACE = '5b8efff798038103d269b633813fc60c';
export const SPAN = 'eee19b7ec3c1b174';

const attributes = [
  { key: 'text', value: { stringValue: 'ünïcode 😀' } },
  { key: 'yes', value: { boolValue: true } },
  { key: 'no', value: { boolValue: false } },
  { key: 'long', value: { intValue: '-9223372036854775808' } },
  { key: 'double', value: { doubleValue: 0.1 } },
  { key: 'nothing', value: {} },
  { key: 'not a number', value: { doubleValue: 'NaN' } },
  { key: 'bytes', value: { bytesValue: 'AAECAw==' } },
  { key: 'list', value: { arrayValue: { values: [{ intValue: '1' }, { stringValue: '' }] } } },
  { key: 'map', value: { kvlistValue: { values: [{ key: 'a', value: { intValue: '1' } }] } } },
];
const attributed = { attributes, droppedAttributesCount: 3 };
const resource = {
  ...attributed,
  entityRefs: [
    { schemaUrl: 'https://s.test/e', type: 'service', idKeys: ['text'], descriptionKeys: ['yes'] },
  ],
};
const scope = { name: 'a.scope', version: '1.2.3', ...attributed };

export const FULL_TRACES = {
  resourceSpans: [
    {
      resource,
      scopeSpans: [
        {
          scope,
          spans: [
            {
              traceId: TRACE,
              spanId: SPAN,
              traceState: 'a=1,b=2',
              parentSpanId: 'eee19b7ec3c1b173',
              name: 'GET /holds',
              kind: 2,
              startTimeUnixNano: nanos(-20),
              endTimeUnixNano: nanos(-10),
              ...attributed,
              events: [{ timeUnixNano: nanos(-15), name: 'exception', ...attributed }],
              droppedEventsCount: 4,
              links: [{ traceId: TRACE, spanId: SPAN, traceState: 'c=3', ...attributed, flags: 768 }],
              droppedLinksCount: 5,
              status: { message: 'no', code: 2 },
              flags: 257,
            },
          ],
          schemaUrl: 'https://s.test/s',
        },
      ],
      schemaUrl: 'https://s.test/r',
    },
  ],
};

export const FULL_LOGS = {
  resourceLogs: [
    {
      resource,
      scopeLogs: [
        {
          scope,
          logRecords: [
            {
              timeUnixNano: nanos(-20),
              observedTimeUnixNano: nanos(-19),
              severityNumber: 17,
              severityText: 'Error',
              body: {
                kvlistValue: {
                  values: [{ key: 'deep', value: { arrayValue: { values: [{ intValue: '1' }] } } }],
                },
              },
              ...attributed,
              flags: 1,
              traceId: TRACE,
              spanId: SPAN,
              eventName: 'browser.web_vital',
            },
          ],
          schemaUrl: 'https://s.test/s',
        },
      ],
      schemaUrl: 'https://s.test/r',
    },
  ],
};

export const spanOf = (n: number, fields: object = {}): Json => ({
  traceId: TRACE,
  spanId: (n + 1).toString(16).padStart(16, '0'),
  name: `span ${n}`,
  startTimeUnixNano: nanos(-10),
  endTimeUnixNano: nanos(-5),
  ...fields,
});
export const tracesOf = (...spans: Json[]): Json => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
export const logsOf = (...logRecords: Json[]): Json => ({
  resourceLogs: [{ scopeLogs: [{ logRecords }] }],
});
