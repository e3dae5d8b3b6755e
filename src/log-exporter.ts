import type { Stats } from './diagnostics/stats.js';
import { Exporter, type ExportResult, type TraceExporterOptions } from './exporter.js';
import { openDelivery } from './late.js';
import { checkNames, EXPORTER_NAMES, refuse } from './options.js';
import { type Consent, EXPORT_PRIVACY_NAMES } from './page-options.js';
import {
  createLogEncoder,
  LogItem,
  type ReadableLogRecord,
  type RedactableLog,
} from './pipeline/encode-log.js';
import type { FlushResult } from './pipeline/pipeline.js';
import { createBrowserPlatform } from './platform/browser.js';
import type { Platform } from './platform/platform.js';
import { unfit } from './unfit.js';

export type { ReadableLogRecord, RedactableLog };

/** Options of {@link LogExporter}. */
export interface LogExporterOptions extends Omit<TraceExporterOptions, 'redact'> {
  /**
   * Called once with each record before it is written or sent, after the redaction; may change it, and what it has
   * changed is redacted as well. False drops the record, and so does an exception.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook that only changes returns nothing.
  redact?: (record: RedactableLog) => boolean | void;
}

/**
 * An OpenTelemetry `LogRecordExporter` that stores log records in the bucket where the traces are, as OTLP/JSON objects
 * `logs_{id}.json.gz`. They wait, are written down, sent and told of as traces are. What `stats()`
 * says of spans is then said of log records.
 *
 * @example
 * const exporter = new LogExporter({ destination: bucket({ endpoint: '/spandrel' }) });
 * new LoggerProvider({ processors: [new LogBatchProcessor(exporter)] });
 * // or the stock processor: new BatchLogRecordProcessor({ exporter })
 * @see https://opentelemetry.io/docs/specs/otel/logs/sdk/#logrecordexporter
 */
export class LogExporter {
  /** Not part of the public promise. */
  readonly exporter: Exporter;

  /**
   * @param platform the world; a browser's, or what there is of it, unless a test brings its own.
   * @throws {TypeError} naming the option, what it got and what it takes.
   */
  constructor(options: LogExporterOptions, platform?: Platform) {
    checkNames('LogExporter', options, ['destination', ...EXPORTER_NAMES, ...EXPORT_PRIVACY_NAMES]);
    if (options.destination && !options.destination.takesLogs)
      refuse('destination', options.destination, 'bucket({ … }), alone: others take traces only');
    this.exporter = new Exporter(options as unknown as TraceExporterOptions, {
      logs: createLogEncoder,
      platform: (onException) => platform ?? createBrowserPlatform(onException),
      openDelivery: async (host) => openDelivery(host),
      unfit,
    });
  }

  /** Success once every record is written down or stored; failure only if one was lost. Never throws. */
  export(records: ReadableLogRecord[], resultCallback: (result: ExportResult) => void): void {
    const { guard } = this.exporter.diagnostics;
    // What is none is counted as lost, and keeps no other from being stored.
    const items = guard(() => records.map((record) => guard(() => new LogItem(record))));
    this.exporter.export((items ?? [undefined]) as never, resultCallback);
  }

  /** See `setConsent` of `start()`. An exporter of its own, it is told by itself. @throws {TypeError} */
  setConsent(consent: Consent): void {
    this.exporter.setConsent(consent);
  }

  /** Sends all that waits. Resolves with the worst that became of it, within `flushTimeoutMillis`. Never rejects. */
  flush(): Promise<FlushResult> {
    return this.exporter.flush();
  }

  /** `flush()` under OpenTelemetry's name. Never rejects. */
  forceFlush(): Promise<void> {
    return this.exporter.forceFlush();
  }

  /** Flushes within `shutdownTimeoutMillis`, then leaves nothing behind. Never rejects. */
  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  /** Everything that can be known of this exporter, now. */
  stats(): Stats {
    return this.exporter.stats();
  }

  /** Calls `listener` after changes, at most ten times a second. Returns a function that ends it. */
  subscribe(listener: (stats: Stats) => void): () => void {
    return this.exporter.subscribe(listener);
  }
}
