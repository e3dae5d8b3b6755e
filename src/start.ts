import { context, type Span, type Tracer, trace } from '@opentelemetry/api';
import { leavingBucket } from './bucket/leaving.js';
import type { Destination } from './destinations/destination.js';
import { createDiagnostics } from './diagnostics/diagnostics.js';
import type { Stats, TraceResult } from './diagnostics/stats.js';
import { lateSource } from './late-source.js';
import {
  BUCKET_NAMES,
  BUFFER_NAMES,
  type BucketTuning,
  type BufferOptions,
  checkNames,
  checkNumbers,
  checkText,
  EXPORTER_NAMES,
  type ExporterOptions,
  refuse,
} from './options.js';
import { PageExporter } from './page-exporter.js';
import {
  type Consent,
  type ContextAttributes,
  type ContextOptions,
  checkPageOptions,
  EXPORT_PRIVACY_NAMES,
  PAGE_FLAGS,
  PAGE_NAMES,
  type PageOptions,
  PRIVACY_NAMES,
  type PrivacyOptions,
  SAMPLING_NAMES,
  type SamplingOptions,
  type User,
} from './page-options.js';
import type { FlushResult } from './pipeline/pipeline.js';
import { createProvider, createTracer } from './sdk/tracer-provider.js';
import { browserAttributes, syntheticType } from './spa/attributes.js';
import { createPageContext } from './spa/page-context.js';
import { createPageTracing } from './spa/page-tracing.js';
import { createSessionProcessor, openSession } from './spa/session.js';
import { samplingOf } from './tail-sampling.js';
import { TraceBatchProcessor } from './trace-batch-processor.js';
import { unfit } from './unfit.js';
import { VERSION } from './version.js';

/** An instrumentation of OpenTelemetry's, as far as it is used. */
export interface Instrumentation {
  setTracerProvider(provider: unknown): void;
  enable(): void;
  disable(): void;
}

/** Options of {@link start}. */
export interface StartOptions
  extends BufferOptions,
    ExporterOptions,
    BucketTuning,
    PageOptions,
    SamplingOptions,
    PrivacyOptions,
    ContextOptions {
  /** Becomes `service.name`. 1 to 200 characters. */
  service: string;
  /** The endpoint: an http(s) URL or a path of this site. Needed unless `destination` is given. */
  endpoint?: string;
  /** Another place for the objects than `bucket({ endpoint })`. */
  destination?: Destination;
  /** Becomes `service.version`. */
  version?: string | undefined;
  /** Becomes `deployment.environment.name`. */
  environment?: string;
  /** OpenTelemetry instrumentations to run beside our own. They are given the tracer provider, and enabled. */
  instrumentations?: readonly Instrumentation[];
}

/** A running Spandrel. */
export interface Spandrel {
  /** For spans of your own. `trace.getTracer()` of `@opentelemetry/api` gives the like. */
  readonly tracer: Tracer;
  /** Records an exception that was caught, by an error boundary for instance, as if nobody had. */
  recordException(error: unknown): void;
  /**
   * Who uses the page: on every span that ends from now on, those that are open included. `null`: nobody. Forgotten when
   * the user denies. A mistake changes nothing and is told by `stats().errors`, here and in the next two.
   */
  setUser(user: User | null): void;
  /** Adds to the attributes of every span that ends from now on. `null` takes all away, and as a value that one. */
  setAttributes(attributes: ContextAttributes | null): void;
  /** Under which variant of a feature flag the page runs: an event on the root of each trace. `null`: none any more. */
  setFlag(name: string, variant: string | number | boolean | null): void;
  /**
   * The user has decided. `granted` sends what was held; `denied` drops what waits, deletes what is kept in the browser,
   * tells the other tabs of this origin and collects nothing more; `pending` holds what comes in memory. The decision
   * itself is not kept: whoever asks the user says it to each page.
   */
  setConsent(consent: Consent): void;
  /**
   * Keeps the trace of a span, by default the active one, whatever the rates say: a user has complained, say. False
   * when it was dropped already.
   */
  mark(span?: Span): boolean;
  /** Everything that can be known, now. */
  stats(): Stats;
  /**
   * Calls `listener` with what becomes of each trace: once it is stored, or lost and why. A trace that goes in several
   * objects is told of in as many parts. Returns a function that ends it.
   */
  onTrace(listener: (result: TraceResult) => void): () => void;
  /** Calls `listener` after changes, at most ten times a second. Returns a function that ends it. */
  subscribe(listener: (stats: Stats) => void): () => void;
  /** Sends everything that ended, incomplete traces too. Resolves with the worst that became of it. Never rejects. */
  flush(): Promise<FlushResult>;
  /**
   * Flushes and ends everything: no listener, timer or wrapped function stays, but for those of web-vitals, which cannot
   * be taken back and tell nobody any more. What is in the database waits for the next page. Never rejects.
   */
  shutdown(): Promise<void>;
}

const START_NAMES = [
  ...['service', 'endpoint', 'destination', 'version', 'environment', 'instrumentations'],
  ...BUFFER_NAMES,
  ...EXPORTER_NAMES,
  ...BUCKET_NAMES,
  ...PAGE_NAMES,
  ...SAMPLING_NAMES,
  ...PRIVACY_NAMES,
  ...['user', 'attributes', 'persistContext'],
];

function pick<T extends object, K extends keyof T>(options: T, names: readonly K[]): Pick<T, K> {
  const picked = {} as Pick<T, K>;
  for (const name of names) if (options[name] !== undefined) picked[name] = options[name];
  return picked;
}

/** Under which copies of us find what is running on their page. */
const RUNNING = Symbol.for('spandrel.running');
const scope = globalThis as { [RUNNING]?: Spandrel | undefined };

/** What traces this page by itself; told by any copy of us. */
export function running(): Spandrel | undefined {
  return scope[RUNNING];
}

/** Where that is so already, for whoever else would. */
export function warnRunning(): void {
  console.warn('spandrel: this page is traced already; only what came first instruments it');
}

/**
 * Starts tracing this page: registers a tracer provider (unless the page has one) and instruments what
 * {@link PageOptions} names.
 *
 * Where it runs already, by whichever copy of this package, the page is not instrumented again: what is returned
 * sends the spans of its own `tracer` and what is given to its `recordException`, and a line on the console says so.
 * Where there is no page, as on a server that renders it, or the page lacks or has broken what cannot be done without
 * (`fetch`, `crypto`, `JSON`, `Promise`, …), nothing is begun and what is returned does nothing; `stats().errors` says
 * why, and on a page one line on the console.
 *
 * @throws {TypeError} naming the option, what it got and what it takes. Nothing has begun then.
 * @example
 * import { start } from 'spandrel';
 * const spandrel = start({ service: 'shop', endpoint: '/spandrel' });
 */
export function start(options: StartOptions): Spandrel {
  checkNames('start()', options, START_NAMES);
  const service = checkText('service', options.service ?? null, undefined);
  const version = checkText('version', options.version, undefined);
  const environment = checkText('environment', options.environment, undefined);
  checkPageOptions(options);
  let guard = (task: () => void): unknown => task();
  const about = createPageContext((task) => guard(task));
  if (options.user !== undefined) about.setters.setUser(options.user);
  about.setters.setAttributes(options.attributes ?? null);
  const { instrumentations = [] } = options;
  if (
    !Array.isArray(instrumentations) ||
    !instrumentations.every((one) => typeof one?.enable === 'function')
  ) {
    refuse('instrumentations', instrumentations, 'an array of OpenTelemetry instrumentations');
  }
  // The processor checks these too, but by then the exporter has begun to listen.
  checkNumbers(options, BUFFER_NAMES);
  const destination =
    options.destination ??
    leavingBucket({
      ...pick(options, BUCKET_NAMES),
      endpoint: options.endpoint as string,
    });
  const isIgnored = options.ignoreBots && globalThis.navigator && syntheticType() !== undefined;
  const reason = !globalThis.location ? 'this is no page' : isIgnored ? 'ignoreBots' : unfit(destination);
  if (reason) return inert(reason);
  const isOptedOut =
    options.respectGlobalPrivacyControl &&
    (globalThis.navigator as { globalPrivacyControl?: boolean } | undefined)?.globalPrivacyControl === true;
  const exporter = new PageExporter({
    ...pick(options, EXPORTER_NAMES),
    ...pick(options, EXPORT_PRIVACY_NAMES),
    ...(isOptedOut && { consent: 'denied' }),
    destination,
  });
  const { platform, diagnostics, late } = exporter;
  const session = openSession(exporter, options.session !== false);
  const sampling = samplingOf(exporter, {
    ...pick(options, SAMPLING_NAMES),
    ...(options.session !== false && { sessionId: () => session.id }),
  });
  const processor = new TraceBatchProcessor(exporter, pick(options, BUFFER_NAMES));

  const attributes = {
    'service.name': service,
    ...(version !== undefined && { 'service.version': version }),
    ...(environment !== undefined && { 'deployment.environment.name': environment }),
    'telemetry.sdk.name': 'spandrel',
    'telemetry.sdk.language': 'webjs',
    'telemetry.sdk.version': VERSION,
    ...diagnostics.guard(browserAttributes),
  };
  guard = diagnostics.guard;
  exporter.onDenied(about.clear);
  if (options.persistContext) {
    void late.file.then(
      ({ keepContext }) => keepContext(exporter, session, about),
      () => {},
    );
  }
  const isSecond = running() !== undefined;
  const page = createPageTracing(
    {
      platform: {
        after: platform.after,
        isOwnRequest: (url) => url === lateSource.url || platform.isOwnRequest(url),
      },
      guard: diagnostics.guard,
      // An id that has left the page cannot be called back, should the user deny.
      mayPropagate: () => diagnostics.totals.consent === 'granted',
      discard: (span) => processor.discard(span as never),
      withLate(begin) {
        if (diagnostics.totals.consent !== 'denied') late.want(false);
        // That it does not come is told where it is missed.
        void late.file.then(begin, () => {});
      },
    },
    isSecond ? Object.fromEntries(PAGE_FLAGS.map((name) => [name, false])) : options,
  );
  const sessions = createSessionProcessor(
    session,
    exporter,
    (attributes) => 'spandrel.activity.type' in attributes,
  );
  const provider = createProvider({
    resource: { attributes },
    sampler: sampling.sampler,
    spanProcessors: [
      ...(options.session === false ? [] : [sessions]),
      { ...page.processor, onEnding: about.onEnding },
      processor,
    ],
  });
  const tracer = provider.getTracer('spandrel', VERSION);
  // What came first has taken both places, or has left them to the app.
  const isGlobal = !isSecond && trace.setGlobalTracerProvider(provider);
  const ownsContext = !isSecond && context.setGlobalContextManager(page.contextManager);
  if (globalThis.document) page.begin(tracer);
  if (isSecond) warnRunning();
  for (const instrumentation of instrumentations) {
    diagnostics.guard(() => {
      instrumentation.setTracerProvider(provider);
      instrumentation.enable();
    });
  }

  const self: Spandrel = {
    tracer,
    ...about.setters,
    recordException: page.recordException,
    setConsent: (consent) => exporter.setConsent(consent),
    mark: (span = trace.getActiveSpan()) => span !== undefined && sampling.mark(span),
    stats: () => exporter.stats(),
    onTrace: (listener) => exporter.onTrace(listener),
    subscribe: (listener) => exporter.subscribe(listener),
    flush: () => exporter.flush(),
    async shutdown() {
      for (const instrumentation of instrumentations) diagnostics.guard(() => instrumentation.disable());
      page.stop();
      session.stop();
      if (running() === self) scope[RUNNING] = undefined;
      await processor.shutdown();
      late.stop();
      if (isGlobal) trace.disable();
      if (ownsContext) context.disable();
    },
  };
  if (globalThis.document && !isSecond) scope[RUNNING] = self;
  return self;
}

/** For a server that renders pages, and a page whose platform is broken: it has everything, and nothing comes of it. */
function inert(reason: string): Spandrel {
  const diagnostics = createDiagnostics(
    () => 0,
    () => {},
  );
  diagnostics.trouble('broken-platform', reason);
  return {
    tracer: createTracer({ name: 'spandrel', version: VERSION, schemaUrl: undefined }, () => undefined),
    recordException() {},
    ...createPageContext(diagnostics.guard).setters,
    setConsent() {},
    mark: () => false,
    stats: diagnostics.stats,
    onTrace: () => () => {},
    subscribe: () => () => {},
    flush: async () => 'lost',
    async shutdown() {},
  };
}
