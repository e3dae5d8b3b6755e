/** The blob that takes spans, the one before it that the browser has as well, and when they are due. */
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { Platform } from '../platform/platform.js';
import { createEchoes, MAX_ECHOES } from './echo.js';
import type { EncodedSpan } from './encode.js';
import type { LocalTrace } from './local-trace.js';
import type { ReadableSpan, TraceBlob } from './model.js';
import type { Opened, PipelineOptions } from './pipeline.js';
import type { TraceBuffer } from './trace-buffer.js';

export interface FillingDeps {
  platform: Pick<Platform, 'monotonic'>;
  diagnostics: Pick<Diagnostics, 'totals' | 'sinceTheirs'>;
  buffer: Pick<TraceBuffer, 'awaitedUntil'>;
  options: PipelineOptions;
  opened(): Opened | undefined;
}

export interface Filling {
  /** Takes spans; undefined while there are none. */
  readonly blob: TraceBlob | undefined;
  /** Puts a span where it goes. What is full then is closed. */
  put(encoded: EncodedSpan, span: ReadableSpan, trace: LocalTrace): void;
  /** The blob takes no more spans, and is to be sent. What the browser has goes with it, or by itself. */
  close(): void;
  /** The blob takes no more spans. */
  finish(): void;
  /** The browser has the blob: what follows waits as long as it does. */
  lend(): void;
  /** When it is to be closed, monotonic; Infinity where nothing waits but echoes. */
  dueAtMillis(): number;
  forget(): void;
}

/** What a blob should weigh: two of them fit into our share of the bytes that may outlive a page. */
const TARGET_BYTES = 24 * 1024;
/** Never more text than this in one blob, however well it compresses: readers must inflate it again. */
const MAX_CHARS = 2 * 1024 * 1024;
/** Realistic browser spans compress about twelvefold; this is a careful first guess. */
const FIRST_RATIO = 8;

export function createFilling({ platform, diagnostics, buffer, options, opened }: FillingDeps): Filling {
  const { totals } = diagnostics;
  const isEcho = createEchoes(diagnostics.sinceTheirs);
  let blob: TraceBlob | undefined;
  /** The browser has it: what follows may take it in. */
  let lent: TraceBlob | undefined;
  /** When the older of the two began, monotonic, and whether all in them may be echoes. */
  let sinceMillis = 0;
  let isEchoes = true;
  let isFirst = true;

  const maxChars = (): number => {
    const { raw, gzip } = totals.bytes;
    return Math.min(MAX_CHARS, TARGET_BYTES * (gzip ? raw / gzip : FIRST_RATIO));
  };

  const end = (one: TraceBlob): void => {
    one.state = 'closed';
    one.seq = ++totals.blobs.sealed;
    isFirst = false;
  };

  const takeBack = (into: TraceBlob | undefined): void => {
    const other = lent;
    const all = opened();
    lent = undefined;
    if (!other || !all) return;
    all.delivery?.later?.release(into);
    if (all.outbox.blobs.has(other.id)) end(other);
  };

  const self: Filling = {
    get blob() {
      return blob;
    },
    put(encoded, span, trace) {
      const { outbox, destination } = opened() as Opened;
      const { traces } = blob ?? {};
      if (traces && traces.size >= options.maxTracesPerBlob && !traces.has(trace.traceId)) self.close();
      if (!blob) {
        blob = outbox.open(destination.hold?.());
        if (!lent) {
          sinceMillis = platform.monotonic();
          isEchoes = true;
        }
      }
      if (trace.blob !== blob) {
        trace.blob = blob;
        trace.firstAtMillis = platform.monotonic();
      }
      isEchoes = isEcho(span) && isEchoes;
      outbox.add(blob, encoded);
      if (blob.chars >= maxChars()) self.close();
    },
    close() {
      const hasRoom = blob && lent && blob.chars + lent.chars <= 2 * maxChars();
      takeBack(hasRoom ? blob : undefined);
      self.finish();
      opened()?.delivery?.wake();
    },
    finish() {
      if (blob) end(blob);
      blob = undefined;
    },
    lend() {
      takeBack(blob);
      lent = blob;
      if (lent) lent.state = 'lent';
      blob = undefined;
    },
    dueAtMillis() {
      // Echoes wait for something else to go along with.
      if (!(blob || lent) || (isEchoes && (blob?.spanCount ?? 0) <= MAX_ECHOES))
        return Number.POSITIVE_INFINITY;
      const dueAtMillis = sinceMillis + (isFirst ? 0 : options.scheduledDelayMillis);
      return Math.max(dueAtMillis, blob ? buffer.awaitedUntil(blob) : 0);
    },
    forget() {
      blob = lent = undefined;
    },
  };
  return self;
}
