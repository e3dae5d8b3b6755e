import type { Destination } from './destinations/destination.js';
import { createDiagnostics, type Diagnostics } from './diagnostics/diagnostics.js';
import type { Stats } from './diagnostics/stats.js';
import {
  checkNames,
  checkNumbers,
  EXPORTER_NAMES,
  type ExporterOptions,
  NUMBER_OPTIONS,
  refuse,
} from './options.js';
import {
  type Consent,
  type ConsentOptions,
  checkExportOptions,
  EXPORT_PRIVACY_NAMES,
  type RedactionOptions,
} from './page-options.js';
import { createEchoes } from './pipeline/echo.js';
import type { ReadableSpan, SpanGroup } from './pipeline/model.js';
import type { OutboxOpener } from './pipeline/outbox-open.js';
import { type Compression, createPipeline, type FlushResult, type Pipeline } from './pipeline/pipeline.js';
import type { Platform, Stop } from './platform/platform.js';
import { type ConsentGate, createConsentGate } from './spa/consent.js';

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
  openOutbox: OutboxOpener;
  compression: Compression;
  /** Why nothing can be sent from here, if that is so. */
  unfit?(destination: Destination): string | undefined;
}

/** The exporter for whatever world. See `TraceExporter` of each entry. */
export class Exporter {
  /** For {@link TraceBatchProcessor}. Not part of the public promise. */
  readonly pipeline: Pipeline;
  /** For {@link TraceBatchProcessor}. Not part of the public promise. */
  readonly diagnostics: Diagnostics;
  /** For {@link TraceBatchProcessor}. Not part of the public promise. */
  readonly platform: Platform;
  /** Takes the endpoint's sampling rules, unchecked. Not part of the public promise. */
  onRules: ((rules: unknown) => void) | undefined;
  /** For {@link TraceBatchProcessor}. Not part of the public promise. */
  readonly gate: ConsentGate;
  readonly #options: Record<keyof ExporterOptions, number>;

  /**
   * @throws {TypeError} naming the option, what it got and what it takes.
   */
  constructor(options: TraceExporterOptions, { platform, openOutbox, compression, unfit }: World) {
    checkNames('TraceExporter', options, ['destination', ...EXPORTER_NAMES, ...EXPORT_PRIVACY_NAMES]);
    if (typeof options.destination?.open !== 'function') {
      refuse('destination', options.destination, 'a destination such as bucket({ endpoint })');
    }
    const checked = checkNumbers(options, EXPORTER_NAMES);
    checkExportOptions(options);
    this.#options = checked;
    this.platform = platform((error) => this.diagnostics.exception(error));
    this.diagnostics = createDiagnostics(this.platform.now, this.platform.after);
    const { platform: world } = this;
    const { destination, redact, redaction = true, consent = 'granted' } = options;
    const [maxHeldSpans] = NUMBER_OPTIONS.maxBufferedSpans;
    const reason = unfit?.(destination);
    if (reason) {
      this.diagnostics.totals.state = 'shut-down';
      this.diagnostics.trouble('broken-platform', reason);
    }
    this.gate = createConsentGate(
      {
        platform: world,
        diagnostics: this.diagnostics,
        open: (diagnostics) =>
          createPipeline(
            {
              ...{ platform: world, diagnostics, destination, openOutbox, compression },
              rules: (rules) => this.onRules?.(rules),
              isEcho: createEchoes(diagnostics.sinceTheirs),
            },
            {
              maxTracesPerBlob: checked.maxTracesPerBlob,
              maxBlobs: checked.maxOutboxBlobs,
              maxBytes: checked.maxOutboxBytes,
              maxAgeMillis: checked.maxOutboxAgeMillis,
              redaction,
              ...(redact && { redact }),
            },
          ),
      },
      consent,
      maxHeldSpans,
    );
    this.pipeline = this.gate.pipeline;
  }

  /**
   * The user has decided. `granted` sends what was held; `denied` drops what waits, deletes what pages of this origin
   * have kept, tells its other tabs and collects nothing more; `pending` holds what comes in memory.
   *
   * @throws {TypeError} when it is none of the three.
   */
  setConsent(consent: Consent): void {
    checkExportOptions({ consent });
    this.gate.set(consent);
  }

  /** Calls `listener` when the user has denied. Not part of the public promise. */
  onDenied(listener: () => void): Stop {
    return this.gate.onDenied(listener);
  }

  /** Success once every span is in the outbox or stored; failure only if one was lost. Never throws. */
  export(spans: ReadableSpan[], resultCallback: (result: ExportResult) => void): void {
    const { diagnostics } = this;
    const accepted = diagnostics.guard(() => {
      const groups = groupByTrace(spans, diagnostics.guard);
      diagnostics.totals.spans.created += spans.length;
      return this.pipeline.accept(groups);
    });
    void Promise.resolve(accepted ?? false).then((safe) =>
      diagnostics.guard(() =>
        resultCallback(
          safe
            ? { code: 0 }
            : {
                code: 1,
                error: new Error('spandrel: spans were lost; see stats()'),
              },
        ),
      ),
    );
  }

  /** Sends all that waits. Resolves with the worst that became of it, within `flushTimeoutMillis`. Never rejects. */
  flush(): Promise<FlushResult> {
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
    await this.pipeline.shutdown(this.#options.shutdownTimeoutMillis);
    this.diagnostics.close();
    this.platform.close();
  }

  /** Everything that can be known of this exporter, now. */
  stats(): Stats {
    return this.diagnostics.stats();
  }

  /** Calls `listener` after changes, at most ten times a second. Returns a function that ends it. */
  subscribe(listener: (stats: Stats) => void): () => void {
    return this.diagnostics.subscribe(listener);
  }
}

function groupByTrace(spans: readonly ReadableSpan[], guard: Diagnostics['guard']): SpanGroup[] {
  const groups = new Map<string, SpanGroup>();
  for (const span of spans) {
    // One that has no trace goes on, to be counted where spans are encoded.
    const traceId = guard(() => span.spanContext().traceId) ?? '';
    const group = groups.get(traceId);
    if (group) group.spans.push(span);
    else groups.set(traceId, { traceId, spans: [span] });
  }
  return [...groups.values()];
}
