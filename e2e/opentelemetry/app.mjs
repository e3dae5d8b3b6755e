// An app with a copy of OpenTelemetry of its own: what it does with it, and what it sees come of it. Played with and
// without us on its page, that is the same.
import * as api from '@opentelemetry/api';
import * as sdk from 'sdk';

const { context, diag, metrics, propagation, trace } = api;
const isSdk3 = 'TracerProvider' in sdk;

// As modules do that are loaded before the SDK is set up.
const early = trace.getTracer('early');
const key = api.createContextKey('of the app');

/**
 * Spans of any SDK, and the loggers of the newest API.
 *
 * @typedef {import('@opentelemetry/sdk-trace-web').ReadableSpan} SdkSpan
 * @typedef {SdkSpan & { parentSpanId?: string, instrumentationLibrary?: { name: string } }} Exported
 * @typedef {{ isOfApp?: boolean }} OfApp
 * @typedef {object} Logs
 * @property {(provider: { getLogger: () => OfApp }) => unknown} setGlobalLoggerProvider
 * @property {(name: string) => OfApp} getLogger
 */

const { logs } = /** @type {{ logs?: Logs }} */ (/** @type {unknown} */ (api));
/** @type {Exported[]} */
const exported = [];
/** @type {unknown[]} */
const lines = [];

/** @type {import('@opentelemetry/sdk-trace-web').SpanExporter} */
const exporter = {
  export(spans, done) {
    exported.push(...spans);
    done({ code: 0 });
  },
  forceFlush: async () => {},
  shutdown: async () => {},
};
/** @type {import('@opentelemetry/api').TextMapPropagator} */
const propagator = {
  inject: (_context, carrier, setter) => setter.set(carrier, 'x-app', 'yes'),
  extract: (from) => from,
  fields: () => ['x-app'],
};

const note = (/** @type {unknown} */ line) => void lines.push(line);
const setLogger = () =>
  diag.setLogger({ error: note, warn: note, info: note, debug: note, verbose: note }, api.DiagLogLevel.INFO);

function setTracerProvider() {
  const processor = isSdk3
    ? new sdk.SimpleSpanProcessor({ exporter })
    : new sdk.SimpleSpanProcessor(exporter);
  const Provider = isSdk3 ? sdk.TracerProvider : sdk.BasicTracerProvider;
  return trace.setGlobalTracerProvider(new Provider({ spanProcessors: [processor] }));
}

const setContextManager = () => context.setGlobalContextManager(new sdk.StackContextManager().enable());

const ofApp = { isOfApp: true };

/** Others of the API's globals, each of which meets the same place. @returns whether each was taken */
const setOthers = () => [
  propagation.setGlobalPropagator(propagator),
  metrics.setGlobalMeterProvider({
    getMeter: () => /** @type {import('@opentelemetry/api').Meter} */ (/** @type {unknown} */ (ofApp)),
  }),
  logs?.setGlobalLoggerProvider({ getLogger: () => ofApp }),
];

/** Spans by two tracers, inside one another; what is active meanwhile, and what requests would carry. */
function work() {
  const tracer = trace.getTracer('late', '1');
  /** @type {Record<string, unknown>} */
  const seen = {};
  let isBound = () => false;
  early.startSpan('early').end();
  tracer.startActiveSpan('outer', { attributes: { app: true } }, (outer) => {
    seen.isRecording = outer.isRecording();
    seen.isActive = trace.getSpan(context.active()) === outer;
    tracer.startSpan('inner').end();
    context.with(context.active().setValue(key, 'kept'), () => {
      seen.value = context.active().getValue(key);
      early.startActiveSpan('within', (span) => span.end());
    });
    isBound = context.bind(context.active(), () => trace.getSpan(context.active()) === outer);
    const carrier = {};
    propagation.inject(context.active(), carrier);
    seen.carrier = carrier;
    outer.end();
  });
  seen.bound = isBound();
  seen.isOver = trace.getSpan(context.active()) === undefined;
  seen.meter = /** @type {OfApp} */ (/** @type {unknown} */ (metrics.getMeter('app'))).isOfApp === true;
  seen.logger = logs?.getLogger('app').isOfApp === true;
  return seen;
}

/** What was exported, without what is another each time. */
function told() {
  const nameOf = (/** @type {string} */ id) =>
    exported.find((span) => span.spanContext().spanId === id)?.name;
  return exported.splice(0).map((span, _, all) => {
    const parent = span.parentSpanContext?.spanId ?? span.parentSpanId;
    return {
      name: span.name,
      parent:
        parent &&
        (all.find((one) => one.spanContext().spanId === parent)?.name ?? nameOf(parent) ?? 'nobody'),
      flags: span.spanContext().traceFlags,
      attributes: span.attributes,
      tracer: (span.instrumentationScope ?? span.instrumentationLibrary)?.name,
    };
  });
}

/** Each step's result. @param {readonly (keyof typeof STEPS)[]} steps */
const play = (steps) => steps.map((name) => ({ [name]: STEPS[name]() }));

const STEPS = {
  setLogger,
  setTracerProvider,
  setContextManager,
  setOthers,
  work: () => ({ ...work(), told: told() }),
  disable: () => [trace.disable(), context.disable()],
  // What is refused is told there, with a stack.
  lines: () => lines.splice(0).length,
};

globalThis.app = { play };
