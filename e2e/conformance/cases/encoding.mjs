import {
  createTraceState,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { openTracing, resourceOf, told, under } from '../inside/traces.mjs';

const SECONDS = 1_790_000_000;
const STORED_ONE = { created: 1, stored: 1, waiting: 0, dropped: {}, exceptions: 0 };

/** @type {import('@opentelemetry/api').SpanContext} */
const REMOTE = {
  traceId: 'a1b2c3d4e5f60718293a4b5c6d7e8f90',
  spanId: '00f067aa0ba902b7',
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
  traceState: createTraceState('vendor=a"b,other=1'),
};

/** A span as any SDK might hand it over. @param {string} service @param {object} attributes @returns {any} */
const handMade = (service, attributes) => ({
  name: 'hand-made \ud800',
  kind: SpanKind.INTERNAL,
  spanContext: () => ({
    traceId: REMOTE.traceId,
    spanId: '1111111111111111',
    traceFlags: TraceFlags.SAMPLED,
  }),
  startTime: [SECONDS, 5],
  endTime: [SECONDS, 7],
  duration: [0, 2],
  ended: true,
  status: { code: SpanStatusCode.UNSET },
  attributes,
  links: [],
  events: [],
  resource: resourceOf({ 'service.name': service }),
  instrumentationScope: { name: 'hand' },
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
  droppedLinksCount: 0,
});

/** Only representation: 64-bit integers as strings; what is empty or zero, and a field that OTLP has not, left out. @param {any} value @param {string} [key] @returns {any} */
function levelled(value, key = '') {
  if (key === 'intValue') return String(value);
  if (Array.isArray(value)) return value.map((item) => levelled(item));
  if (typeof value !== 'object' || value === null) return value;
  const isEmpty = (/** @type {any} */ item) =>
    typeof item === 'object' && item !== null ? Object.keys(item).length === 0 : !item;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, item]) => /** @type {const} */ ([name, levelled(item, name)]))
      .filter(([name]) => !(key === 'resource' && name === 'schemaUrl'))
      .filter(([name, item]) => /Value$|^values?$/.test(name) || !isEmpty(item))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** The one object, and the official serializer's text of the same spans. @type {NonNullable<import('../case.mjs').Case['view']>} */
const besideOfficial = ({ answer: { official, ...answer }, arrived }) => {
  const [ours = [], theirs = []] = [arrived[0]?.request, JSON.parse(official)].map((request) =>
    JSON.stringify(levelled(request), null, 1).split('\n'),
  );
  const at = theirs.findIndex((line, index) => line !== ours[index]);
  return {
    ...answer,
    isBig: theirs.length > 2_000,
    difference: at < 0 ? [] : [ours.slice(at, at + 9), theirs.slice(at, at + 9)],
  };
};

/** What becomes of spans on their way into bytes. @type {import('../case.mjs').Case[]} */
export const encoding = [
  {
    name: "every field of a span is the official serializer's",
    spans: 3,
    async run(env) {
      const { tracer, ended, close } = openTracing(env);
      const linked = { ...REMOTE, spanId: '2222222222222222', traceFlags: TraceFlags.NONE };
      const root = tracer.startSpan(
        'load "page"\n\u2028 \ud83d\ude00',
        {
          kind: SpanKind.SERVER,
          startTime: [SECONDS, 1],
          links: [1, 2].map((n) => ({ context: linked, attributes: { n } })),
        },
        trace.setSpanContext(ROOT_CONTEXT, REMOTE),
      );
      root.setAttributes({
        string: 'quote " backslash \\ tab \t nul \0 \u007f \u2029 ümlaut 漢字',
        empty: '',
        int: 42,
        negative: -7,
        largest: Number.MAX_SAFE_INTEGER,
        double: 0.1,
        tiny: 5e-324,
        yes: true,
        no: false,
        strings: ['a', null, 'c"', undefined],
        numbers: [1, 2.5, -3],
        none: [],
      });
      for (let at = 0; at < 130; at++) root.addEvent(`event ${at}`, { at }, [SECONDS, 999_999_999]);
      for (let at = 0; at < 130; at++) root.setAttribute(`a${at}`, at);
      const child = tracer.startSpan(
        'GET',
        { kind: SpanKind.CLIENT, startTime: [SECONDS, 10_000_000] },
        under(root),
      );
      child.setStatus({ code: SpanStatusCode.ERROR, message: 'it "broke"' }).end([SECONDS, 20_000_000]);
      const job = tracer.startSpan('job', { kind: SpanKind.CONSUMER, startTime: [SECONDS, 9] }, under(root));
      job.recordException({ name: 'TypeError', message: 'no', stack: 'at a' }, [SECONDS, 11]);
      job.setStatus({ code: SpanStatusCode.OK }).end([SECONDS, 12]);
      root.end([SECONDS + 3, 0]);
      const official = new TextDecoder().decode(JsonTraceSerializer.serializeRequest(ended()));
      return { ...(await close()), official };
    },
    view: besideOfficial,
    expected: { created: 3, stored: 3, waiting: 0, dropped: {}, exceptions: 0, isBig: true, difference: [] },
  },
  {
    name: 'hostile values lose nothing but themselves',
    spans: 1,
    async run(env) {
      /** @type {any} */
      const cycle = { name: 'cycle' };
      cycle.self = cycle;
      const { exporter } = openTracing(env);
      const good = handMade(env.service, {
        lone: 'a\ud800b',
        nan: Number.NaN,
        infinite: Number.NEGATIVE_INFINITY,
        zero: -0,
        huge: 2 ** 60,
        big: 2n ** 62n,
        bigger: 2n ** 70n,
        bytes: new Uint8Array([0, 255]),
        date: new Date(0),
        map: { a: [1, { b: null }] },
        'its prototype': 'own',
        cycle,
        run: () => 1,
        symbol: Symbol('s'),
        nothing: undefined,
      });
      const bad = {
        ...handMade(env.service, {}),
        get attributes() {
          throw new Error('a getter');
        },
      };
      const badTime = { ...handMade(env.service, {}), startTime: [Number.NaN, 0] };
      const badIds = {
        ...handMade(env.service, {}),
        spanContext: () => ({ traceId: 'x', spanId: 'y', traceFlags: 1 }),
      };
      const result = await new Promise((resolve) => exporter.export([good, bad, badTime, badIds], resolve));
      await exporter.shutdown();
      return { ...told(exporter.stats()), code: result.code };
    },
    view({ answer, arrived }) {
      const { name, attributes, droppedAttributesCount } =
        arrived[0]?.request.resourceSpans[0].scopeSpans[0].spans[0] ?? {};
      const values = Object.fromEntries(attributes.map((/** @type {any} */ { key, value }) => [key, value]));
      return { answer, name, values, left: droppedAttributesCount };
    },
    expected: {
      answer: { created: 4, stored: 1, waiting: 0, dropped: { unencodable: 3 }, exceptions: 0, code: 1 },
      name: 'hand-made \ufffd',
      left: 4,
      values: {
        lone: { stringValue: 'a\ufffdb' },
        nan: { doubleValue: 'NaN' },
        infinite: { doubleValue: '-Infinity' },
        zero: { doubleValue: 0 },
        huge: { doubleValue: 2 ** 60 },
        big: { intValue: '4611686018427387904' },
        bigger: { stringValue: '1180591620717411303424' },
        bytes: { bytesValue: 'AP8=' },
        date: { stringValue: '1970-01-01T00:00:00.000Z' },
        map: {
          kvlistValue: {
            values: [
              {
                key: 'a',
                value: {
                  arrayValue: {
                    values: [{ intValue: '1' }, { kvlistValue: { values: [{ key: 'b', value: {} }] } }],
                  },
                },
              },
            ],
          },
        },
        'its prototype': { stringValue: 'own' },
      },
    },
  },
  ...[
    { what: 'a small body', count: 1, isLarge: false },
    { what: 'a body over 16 KiB', count: 60, isLarge: true },
  ].map(({ what, count, isLarge }) => ({
    name: `${what} is one gzip member that zlib inflates`,
    spans: count,
    async run(/** @type {import('../case.mjs').Env} */ env) {
      const { tracer, close, exporter } = openTracing(env);
      const root = tracer.startSpan('root');
      for (let at = 1; at < count; at++)
        tracer
          .startSpan(`child ${at}`, { attributes: { at, text: 'so it goes '.repeat(20) + at } }, under(root))
          .end();
      root.end();
      const ledger = await close();
      const { bytes, errors } = exporter.stats();
      return { ...ledger, raw: bytes.raw, errors: errors.length };
    },
    view: (/** @type {import('../case.mjs').Seen} */ { answer: { raw, ...answer }, arrived }) => ({
      ...answer,
      objects: arrived.length,
      // The member's trailer tells how many bytes it holds.
      isWhole: arrived.every(({ bytes }) => Buffer.from(bytes).readUInt32LE(bytes.length - 4) === raw),
      isLarge: raw > 16_384,
    }),
    expected: {
      created: count,
      stored: count,
      waiting: 0,
      dropped: {},
      exceptions: 0,
      errors: 0,
      objects: 1,
      isWhole: true,
      isLarge,
    },
  })),
  {
    name: 'a trace of 1,500 spans arrives whole, each span once',
    spans: 1_500,
    async run(env) {
      const { tracer, close } = openTracing(env);
      const root = tracer.startSpan('root');
      for (let at = 1; at < 1_500; at++) tracer.startSpan('child', { attributes: { at } }, under(root)).end();
      root.end();
      return close();
    },
    view: ({ answer, trees }) => ({ answer, roots: trees.length, children: trees[0]?.children?.length }),
    expected: {
      answer: { created: 1_500, stored: 1_500, waiting: 0, dropped: {}, exceptions: 0 },
      roots: 1,
      children: 1_499,
    },
  },
  {
    name: 'secrets in URLs are taken out, and a redact hook has its say',
    spans: 1,
    async run(env) {
      const { tracer, close } = openTracing(env, {
        redact: (/** @type {any} */ span) => {
          if (span.name === 'private') return false;
          if (span.attributes.card) span.attributes.card = '(card)';
          return undefined;
        },
      });
      tracer.startSpan('private').end();
      tracer
        .startSpan('GET', {
          attributes: { 'url.full': 'https://u:p@shop.example/a?token=secret', card: '4111' },
        })
        .end();
      return close();
    },
    expected: {
      answer: { ...STORED_ONE, created: 2, dropped: { redacted: 1 } },
      trees: [
        {
          name: 'GET',
          kind: 'internal',
          attributes: { card: '(card)', 'url.full': 'https://shop.example/a?token=REDACTED' },
        },
      ],
    },
  },
  {
    name: 'a span that is not sampled goes nowhere',
    spans: 1,
    async run(env) {
      const { tracer, close } = openTracing(env);
      const parent = trace.setSpanContext(ROOT_CONTEXT, { ...REMOTE, traceFlags: TraceFlags.NONE });
      tracer.startSpan('unsampled', {}, parent).end();
      tracer.startSpan('sampled').end();
      return close();
    },
    expected: { answer: STORED_ONE, trees: [{ name: 'sampled', kind: 'internal' }] },
  },
];
