import type { Destination } from './destinations/destination.js';
import type { Tee } from './destinations/tee.js';
import type { Diagnostics } from './diagnostics/diagnostics.js';
import { createDiagnostics } from './diagnostics/diagnostics.js';
import type { Stats, TraceResult } from './diagnostics/stats.js';
import {
  BUFFER_NAMES,
  checkNames,
  checkNumbers,
  EXPORTER_NAMES,
  type ExporterOptions,
  refuse,
} from './options.js';
import {
  type Consent,
  type ConsentOptions,
  checkExportOptions,
  EXPORT_PRIVACY_NAMES,
  type RedactionOptions,
} from './page-options.js';
import type { Delivery } from './pipeline/deliver.js';
import type { ReadableSpan } from './pipeline/model.js';
import {
  createPipeline,
  type DeliveryHost,
  type FlushResult,
  type Pipeline,
  type PipelineDeps,
} from './pipeline/pipeline.js';
import type { Platform, Stop } from './platform/platform.js';

/** Options of `TraceExporter`. */
export interface TraceExporterOptions extends ExporterOptions, RedactionOptions, ConsentOptions {
  /** Where objects go: `bucket({ endpoint })`, or anything else of that shape. */
  destination: Destination;
}

/** What came of an export, as OpenTelemetry's exporters say it. */
export interface ExportResult {
  /** 0 for success, 1 for failure. */
  code: number;
  error?: Error;
}

/** What an exporter is made for: pages, or the edge. */
export interface World {
  /** @param onException hears of every exception in a timer or listener. */
  platform(onException: (error: unknown) => void): Platform;
  openDelivery(host: DeliveryHost): Promise<Delivery>;
  /** It takes log records: what writes them. */
  logs?: PipelineDeps['logs'];
  /** Delivery is wanted now. */
  hurry?(): void;
  /** Why nothing can be sent from here, if that is so. */
  unfit?(destination: Destination): string | undefined;
}

/** The exporter for whatever world. See `TraceExporter` of each entry. */
export class Exporter {
  /** For {@link TraceBatchProcessor}. Not part of the public promise. */
  readonly pipeline: Pipeline;
  /** Not part of the public promise. */
  readonly diagnostics: Diagnostics;
  /** Not part of the public promise. */
  readonly platform: Platform;
  /** Names where objects go. Not part of the public promise. */
  readonly place: string;
  /** Takes the endpoint's sampling rules, unchecked. Not part of the public promise. */
  onRules: ((rules: unknown) => void) | undefined;
  readonly #options: Record<keyof ExporterOptions, number>;
  readonly #world: World;
  readonly #onDenied = new Set<() => void>();

  /** @throws {TypeError} naming the option, what it got and what it takes. */
  constructor(options: TraceExporterOptions, world: World) {
    checkNames('TraceExporter', options, ['destination', ...EXPORTER_NAMES, ...EXPORT_PRIVACY_NAMES]);
    if (typeof options.destination?.open !== 'function') {
      refuse('destination', options.destination, 'a destination such as bucket({ endpoint })');
    }
    const checked = checkNumbers(options, EXPORTER_NAMES);
    checkExportOptions(options);
    this.#options = checked;
    this.#world = world;
    this.platform = world.platform((error) => this.diagnostics.exception(error));
    this.diagnostics = createDiagnostics(this.platform.now, this.platform.after);
    const { destination, redact, redaction = true, consent = 'granted' } = options;
    this.place = destination.id ?? '';
    const reason = world.unfit?.(destination);
    if (reason) {
      this.diagnostics.totals.state = 'shut-down';
      this.diagnostics.trouble('broken-platform', reason);
    }
    const { createPipeline: createAll = createPipeline } = destination as Partial<Tee>;
    this.pipeline = createAll(
      {
        ...{ platform: this.platform, diagnostics: this.diagnostics, destination, consent, logs: world.logs },
        openDelivery: (host) => world.openDelivery(host),
        rules: (rules) => this.onRules?.(rules),
        denied: () => {
          for (const listener of this.#onDenied) listener();
        },
      },
      {
        ...checkNumbers({}, BUFFER_NAMES),
        ...checked,
        redaction,
        ...(redact && { redact }),
      },
      createPipeline,
    );
  }

  /**
   * The user has decided. `granted` sends what was held; `denied` drops what waits, deletes what pages of this origin
   * have kept, tells its other tabs and collects nothing more; `pending` holds what comes in memory.
   *
   * @throws {TypeError} when it is none of the three.
   */
  setConsent(consent: Consent): void {
    checkExportOptions({ consent });
    this.pipeline.setConsent(consent);
  }

  /** Calls `listener` when the user has denied. Not part of the public promise. */
  onDenied(listener: () => void): Stop {
    this.#onDenied.add(listener);
    return () => this.#onDenied.delete(listener);
  }

  /** Success once every span is in the outbox or stored; failure only if one was lost. Never throws. */
  export(spans: ReadableSpan[], resultCallback: (result: ExportResult) => void): void {
    const { diagnostics, pipeline } = this;
    const exported = pipeline.take(spans).catch((error) => {
      diagnostics.exception(error);
      return false;
    });
    void exported.then((isSafe) =>
      diagnostics.guard(() =>
        resultCallback(
          isSafe ? { code: 0 } : { code: 1, error: new Error('spandrel: spans were lost; see stats()') },
        ),
      ),
    );
  }

  /** Sends all that waits. Resolves with the worst that became of it, within `flushTimeoutMillis`. Never rejects. */
  flush(): Promise<FlushResult> {
    this.#world.hurry?.();
    return this.pipeline.flush(this.#options.flushTimeoutMillis);
  }

  /** `flush()` under OpenTelemetry's name. Never rejects. */
  async forceFlush(): Promise<void> {
    await this.flush();
  }

  /**
   * Flushes within `shutdownTimeoutMillis`, then leaves no timer, listener or request behind. What is in the database
   * waits for the next page. Never rejects.
   */
  async shutdown(): Promise<void> {
    this.#world.hurry?.();
    await this.pipeline.shutdown(this.#options.shutdownTimeoutMillis);
    this.diagnostics.close();
    this.platform.close();
  }

  /** Everything that can be known of this exporter, now. */
  stats(): Stats {
    return this.diagnostics.stats();
  }

  /**
   * Calls `listener` with what becomes of each trace: once it is stored, or lost and why. A trace that goes in several
   * objects is told of in as many parts. Of several destinations, the first is meant. Returns a function that ends it.
   */
  onTrace(listener: (result: TraceResult) => void): () => void {
    return this.diagnostics.onTrace(listener);
  }

  /** Calls `listener` after changes, at most ten times a second. Returns a function that ends it. */
  subscribe(listener: (stats: Stats) => void): () => void {
    return this.diagnostics.subscribe(listener);
  }
}
