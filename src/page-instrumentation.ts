import type { ContextManager, TracerProvider } from '@opentelemetry/api';
import { createDiagnostics } from './diagnostics/diagnostics.js';
import { checkNames, refuse } from './options.js';
import { checkPageOptions, PAGE_NAMES, type PageOptions } from './page-options.js';
import { createBrowserPlatform } from './platform/browser.js';
import type { Platform } from './platform/platform.js';
import type { RecordException } from './spa/errors.js';
import { traceFrustration } from './spa/frustration.js';
import { traceLongFrames } from './spa/long-frames.js';
import { type ContextSetters, createPageContext, type PageContext } from './spa/page-context.js';
import { createPageTracing, type LateParts, type PageTracing } from './spa/page-tracing.js';
import { traceWebVitals } from './spa/web-vitals.js';
import type { TraceBatchProcessor } from './trace-batch-processor.js';
import { VERSION } from './version.js';

/**
 * What {@link start} instruments, as one OpenTelemetry `Instrumentation`, for an app that has its own provider. Every
 * part can be turned off, so that each can be used alone.
 *
 * @example
 * const processor = new TraceBatchProcessor(exporter);
 * const page = new PageInstrumentation({ webVitals: false }, processor);
 * const provider = new WebTracerProvider({ spanProcessors: [page.spanProcessor, processor] });
 * provider.register({ contextManager: page.contextManager });
 * registerInstrumentations({ instrumentations: [page] });
 */
export class PageInstrumentation {
  readonly instrumentationName = 'spandrel';
  readonly instrumentationVersion: string = VERSION;
  /** To be put in front of the exporting processor: it knows when an activity's spans have ended. */
  readonly spanProcessor: PageTracing['processor'] & Pick<PageContext, 'onEnding'>;
  /** Makes spans without another parent children of the activity, other instrumentations' too. */
  readonly contextManager: ContextManager;
  /** Records an exception that somebody has caught as if nobody had. */
  readonly recordException: RecordException;
  /**
   * `setUser`, `setAttributes` and `setFlag` as of `start()`, for every span of the provider that ends from now on. They last
   * as long as the page: an app that hears of a denial says `setUser(null)` itself.
   */
  readonly context: ContextSetters;
  readonly #options: PageOptions;
  readonly #platform: Platform;
  readonly #tracing: PageTracing;
  #provider: TracerProvider | undefined;
  #begun = false;

  /**
   * @param processor where the spans go, if that is ours: it forgets interactions that led to nothing.
   * @throws {TypeError} naming the option, what it got and what it takes.
   */
  constructor(options: PageOptions = {}, processor?: TraceBatchProcessor) {
    checkNames('PageInstrumentation', options, PAGE_NAMES);
    checkPageOptions(options);
    if (processor && typeof processor.discard !== 'function') {
      refuse('processor', processor, 'a TraceBatchProcessor');
    }
    this.#options = options;
    this.#platform = createBrowserPlatform((error) => diagnostics.exception(error));
    const diagnostics = createDiagnostics(this.#platform.now, this.#platform.after);
    const deps = {
      platform: this.#platform,
      guard: diagnostics.guard,
      mayPropagate: () => !processor || processor.consent === 'granted',
      discard: (span: unknown) => processor?.discard(span as never),
      withLate: (begin: (parts: LateParts) => void) =>
        begin({ traceLongFrames, traceWebVitals, traceFrustration }),
    };
    this.#tracing = createPageTracing(deps, options);
    const { setters, onEnding } = createPageContext(diagnostics.guard);
    this.context = setters;
    this.spanProcessor = { ...this.#tracing.processor, onEnding };
    this.contextManager = this.#tracing.contextManager;
    this.recordException = this.#tracing.recordException;
  }

  setTracerProvider(provider: TracerProvider): void {
    this.#provider = provider;
  }

  setMeterProvider(): void {}

  getConfig(): PageOptions & { enabled?: boolean } {
    return this.#options;
  }

  setConfig(): void {}

  /** Begins, once there is a tracer provider. Outside a page it does nothing. */
  enable(): void {
    if (this.#begun || !this.#provider || !globalThis.document) return;
    this.#begun = true;
    this.#tracing.begin(this.#provider.getTracer('spandrel', VERSION));
  }

  /** Undoes everything: no listener, timer or wrapped function stays. It can be enabled again. */
  disable(): void {
    this.#begun = false;
    this.#tracing.stop();
  }
}
