/**
 * The order of things.
 *
 * A span ends; its trace gathers in the **buffer**; it is **encoded** at the next idle moment, put into the blob that is
 * filling, and written down in the **outbox**; when the blob is due it is closed, **packed** (compressed) and **sent**
 * under its id; what was stored is **told** to the server; what was not stays in the outbox until it is stored, and
 * stored once.
 *
 * This file does all but sending: it is what a page needs early. See `deliver.ts` for the rest.
 */

import type { Destination, OpenDestination } from '../destinations/destination.js';
import { openGuarded } from '../destinations/destination-guard.js';
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import { sumOf } from '../json.js';
import { createOutbox, type Outbox, type OutboxLimits } from '../outbox/outbox.js';
import type { Consent, RedactionOptions } from '../page-options.js';
import type { PageSignal, Platform, Stop } from '../platform/platform.js';
import { createAlarm, within } from './alarm.js';
import { toUtf8 } from './compress-gzip.js';
import { createConsent } from './consent.js';
import type { Delivery } from './deliver.js';
import { createEncoder } from './encode.js';
import { createFilling } from './filling.js';
import type { DropReason, OpenSpan, ReadableSpan, TraceBlob } from './model.js';
import { bodyOf } from './pack.js';
import type { TraceBuffer } from './trace-buffer.js';
import { createTraceBuffer } from './trace-buffer.js';

export interface PipelineOptions extends OutboxLimits, RedactionOptions {
  scheduledDelayMillis: number;
  maxBufferedSpans: number;
  maxTracesPerBlob: number;
}

/** What became of all that was held when `flush` was called; the worst of it. */
export type FlushResult =
  /** Everything is in the bucket. */
  | 'stored'
  /** Something waits in the outbox and will be tried again. */
  | 'waiting'
  /** Something was dropped meanwhile, or all is since the kill switch; `stats()` says why. */
  | 'lost';

export interface PipelineDeps {
  platform: Platform;
  diagnostics: Diagnostics;
  destination: Destination;
  /** What it takes in place of spans. */
  logs?: typeof createEncoder | undefined;
  /** Loads what sends. */
  openDelivery(deps: DeliveryHost): Promise<Delivery>;
  /** Takes the operator's sampling rules, unchecked. */
  rules(rules: unknown): void;
  /** The user has denied. */
  denied(): void;
  consent: Consent;
}

/** What delivery needs of the pipeline. */
export interface DeliveryHost {
  platform: Platform;
  diagnostics: Diagnostics;
  outbox: Outbox;
  destination: OpenDestination;
  /** Where the page sends to. */
  place: string;
  /** The database has. */
  failed(error: unknown): void;
}

export interface Pipeline {
  readonly buffer: TraceBuffer;
  /** May be changed until the first span. */
  readonly options: PipelineOptions;
  /** Takes ended spans. Resolves true once all are in the outbox, false if any was lost. */
  take(spans: readonly ReadableSpan[]): Promise<boolean>;
  started(span: OpenSpan): void;
  ended(span: ReadableSpan): void;
  discard(span: OpenSpan): void;
  setConsent(consent: Consent): void;
  ask(): void;
  flush(timeoutMillis: number): Promise<FlushResult>;
  shutdown(timeoutMillis: number): Promise<FlushResult>;
}

/** What a resource knows later is waited for: not for long, as what is not encoded is lost in a crash. */
const RESOURCE_MILLIS = 1_000;
/** Work between two pauses, milliseconds. Under the 5 ms that a task of ours may last. */
const SLICE_MILLIS = 4;
/** What went out without an answer is asked about if the page lives on for this long. */
const UNANSWERED_MILLIS = 5_000;
/** By then a navigation has come to its end, unless its server is slow, or the page stays. */
const STAYED_MILLIS = 10_000;
/** What is there while the user consents. */
export interface Opened {
  outbox: Outbox;
  destination: OpenDestination;
  delivery: Delivery | undefined;
  /** Resolves when delivery is there. */
  opening: Promise<void>;
}

export function createPipeline(deps: PipelineDeps, options: PipelineOptions): Pipeline {
  const { platform, diagnostics } = deps;
  const { totals, dropped, guard } = diagnostics;
  const { redaction = true, redact } = options;
  let clockOffsetMillis = 0;
  const { logs } = deps;
  const encode = (logs ?? createEncoder)({
    redaction,
    // What it throws is the user's to see, and the span is dropped: it may hold what should have been taken out.
    redact: redact && ((span) => guard(() => redact(span) !== false) === true),
    clockOffsetMillis: () => clockOffsetMillis,
  });
  const buffer = createTraceBuffer(
    {
      monotonic: platform.monotonic,
      lost(traceId, spanCount, reason) {
        dropped(reason, spanCount);
        diagnostics.settled([{ traceId, spanCount }], reason);
      },
      created(count) {
        totals.spans.created += count;
      },
      sampledOut: (count) => {
        totals.sampling.droppedSpans += count;
      },
      guard,
      holds(count) {
        totals.buffer.highWater = Math.max(totals.buffer.highWater, count);
      },
    },
    () => options.maxBufferedSpans,
  );

  let opened: Opened | undefined;
  /** The outbox, until what waits there has another place in the ledger. */
  let counted: Outbox | undefined;
  let isAway = false;
  let stayTimer: Stop | undefined;
  /** Spans that were open while the user had denied: whatever the user says later, these are not collected. */
  const refused = new WeakSet<object>();
  const awaited = new WeakSet<object>();
  /** Blobs that went out with the page, without an answer. */
  let goneOut = new WeakSet<TraceBlob>();

  const filling = createFilling({ platform, diagnostics, buffer, options, opened: () => opened });

  /** The database has. */
  const failed = (error: unknown): void => {
    totals.storage.failures++;
    diagnostics.trouble('storage', String(error));
  };

  const open = (denials: string | undefined): void => {
    if (opened || totals.state !== 'running') return;
    // What the database should have deleted is in another place, and is nobody's any more.
    const place = `${denials ? `since denial ${denials} ` : ''}${logs ? 'logs ' : ''}${deps.destination.id ?? ''}`;
    const outbox = createOutbox(
      {
        ...{ platform, place },
        lost({ spanCount, traces }, reason) {
          dropped(reason, spanCount);
          diagnostics.settled(traces.values(), reason);
        },
        now: () => platform.now() + clockOffsetMillis,
        handedOver(count) {
          totals.spans.handedOver += count;
        },
        failed,
      },
      options,
    );
    const destination = openGuarded(deps.destination, {
      ...{ platform, diagnostics, page: outbox.page, rules: deps.rules },
      ...(logs && { signal: 'logs' }),
      saved(blob) {
        outbox.changed(blob);
        return outbox.save();
      },
      clockOffset(millis) {
        clockOffsetMillis = millis;
      },
      pause,
    });
    const host = { platform, diagnostics, outbox, destination, place, failed };
    const opening = deps.openDelivery(host).then((delivery) => {
      if (opened !== now) return delivery.close();
      now.delivery = delivery;
      delivery.wake();
    }, diagnostics.exception);
    const now: Opened = { outbox, destination, delivery: undefined, opening };
    opened = now;
    counted = outbox;
    alarm.soon();
  };

  /** The user consents no longer: drops what waits, and ends everything, requests under way too. */
  const end = async (isDenied: boolean): Promise<void> => {
    if (!isDenied) drainNow();
    filling.close();
    const ended = opened;
    opened = undefined;
    if (isDenied) {
      guard(deps.denied);
      for (const span of buffer.forget('consent')) refused.add(span);
    }
    if (!ended) return;
    const { outbox, destination, delivery } = ended;
    if (isDenied) outbox.dropAll('consent');
    delivery?.close();
    destination.close();
    platform.abandon();
    // What the database holds is for whoever is granted the next time.
    await outbox.close('consent');
    counted = undefined;
  };

  const encodeNext = (): boolean => {
    const entry = opened && buffer.next();
    if (!entry) return false;
    const { span, trace } = entry;
    const encoded = encode(span);
    if (typeof encoded === 'string') {
      dropped(encoded, 1);
      diagnostics.settled([{ traceId: trace.traceId, spanCount: 1 }], encoded);
      return true;
    }
    filling.put(encoded, span, trace);
    return true;
  };

  const inTime = (millis: number, work: Promise<void> | undefined): Promise<void> =>
    within(platform, millis, work, true).catch(diagnostics.exception);

  /** A resource may know more of itself in a moment. Whoever cannot wait goes without that. */
  const resourceKnown = (resource: ReadableSpan['resource']): Promise<void> => {
    awaited.add(resource);
    const known = async (): Promise<void> => resource.waitForAsyncAttributes?.();
    return within(platform, RESOURCE_MILLIS, known()).catch(() => {});
  };

  /** Encodes what has ended, in slices. Whoever cannot wait does the same at once; there is only one queue. */
  const drain = async (): Promise<void> => {
    const resource = buffer.peek()?.resource;
    if (resource?.asyncAttributesPending && !awaited.has(resource)) await resourceKnown(resource);
    let mark = platform.monotonic();
    while (encodeNext()) {
      if (platform.monotonic() - mark < SLICE_MILLIS) continue;
      await platform.yieldToMain();
      mark = platform.monotonic();
    }
  };

  const drainNow = (): void => {
    while (encodeNext());
  };

  const tick = async (): Promise<void> => {
    buffer.sweep();
    await drain();
    if (opened?.outbox.isSuspended) {
      // A page that was left goes on for some moments, and nothing more will be said.
      if (isAway) goOut(opened);
      return;
    }
    const now = platform.monotonic();
    if (filling.blob) opened?.delivery?.later?.grew(filling.blob, filling.lend);
    const dueAtMillis = filling.dueAtMillis();
    if (dueAtMillis <= now) filling.close();
    const next = Math.min(buffer.dueAtMillis(), dueAtMillis > now ? dueAtMillis : Number.POSITIVE_INFINITY);
    opened?.delivery?.wake();
    if (Number.isFinite(next)) alarm.at(Math.max(next, now));
  };

  const alarm = createAlarm(platform, tick, diagnostics.exception);

  /** All that has ended goes out, in this task. */
  const leave = (signal: PageSignal): void => {
    const isOver = signal === 'leaving';
    if (isOver) buffer.interrupt();
    buffer.sweep(isOver ? 'all' : 'quiet');
    if (!opened) {
      // Nobody can be asked any more.
      if (isOver) buffer.forget('consent');
      return;
    }
    drainNow();
    goOut(opened, signal === 'hidden');
  };

  const goOut = (all: Opened, stays = false): void => {
    filling.finish();
    sendNow(all);
    // The browser sends what it has, unless the page lives on.
    if (stays) platform.after(UNANSWERED_MILLIS, filling.close);
    all.outbox.owe(all.destination.leave?.());
    if (stays) void all.outbox.save();
    else all.outbox.suspend();
  };

  /** Smallest first, so that as many as possible find room. */
  const sendNow = ({ outbox, destination, delivery }: Opened): void => {
    const waiting = [...outbox.blobs.values()].filter((blob) => blob.state !== 'lent' && !goneOut.has(blob));
    waiting.sort((a, b) => a.chars - b.chars);
    for (const blob of waiting) {
      // Uncompressed is better than not at all.
      guard(() => delivery?.packNow?.(blob));
      const isOut = destination.sendNow?.(blob, blob.bytes ?? toUtf8(bodyOf(blob.parts)));
      if (!isOut) continue;
      goneOut.add(blob);
      blob.again = true;
      blob.notBeforeMillis = platform.now() + UNANSWERED_MILLIS;
      outbox.changed(blob);
    }
    delivery?.wake();
  };

  const stopPage = platform.onPage((signal) => {
    if (signal === 'unloading') return unload();
    if (signal !== 'visible') {
      isAway = true;
      return leave(signal);
    }
    if (isAway) comeBack();
    isAway = false;
  });

  /** A navigation has begun: what would take long in pagehide is made ready to go. */
  const unload = (): void => {
    if (!opened) return;
    drainNow();
    if (!platform.cachesEarly) return void opened.outbox.save();
    // This browser looks now whether the page holds a lock or waits for an answer; then it may not be cached.
    filling.finish();
    void opened.outbox.save();
    opened.outbox.suspend(true);
    stayTimer = platform.after(STAYED_MILLIS, comeBack);
  };

  const comeBack = (): void => {
    stayTimer?.();
    // Without what sends nobody has heard whether it came; the next page asks.
    if (opened?.delivery) goneOut = new WeakSet();
    opened?.outbox.resume();
    filling.close();
    alarm.soon();
  };

  const pause = (): void => {
    totals.state = 'paused';
    dropBuffered('paused');
    opened?.outbox.dropAll('paused');
  };

  const dropBuffered = (reason: DropReason): void => {
    buffer.forget(reason);
    filling.forget();
  };

  diagnostics.gauge((stats) => {
    const { kept, undecided, open } = buffer.counts();
    stats.spans.waiting += kept;
    stats.buffer.spans += kept;
    stats.buffer.open = open;
    stats.sampling.undecided = undecided;
    for (const blob of counted?.blobs.values() ?? []) {
      stats.spans.waiting += blob.spanCount;
      stats.blobs.waiting++;
      if (goneOut.has(blob)) stats.blobs.unconfirmed++;
      stats.bytes.waiting += blob.bytes?.length ?? 0;
    }
    stats.storage.durable = opened?.outbox.store !== undefined;
  });

  const lostCount = (): number => sumOf(Object.values(totals.spans.dropped), (count) => count);

  const self: Pipeline = {
    ...{ buffer, options },
    async take(spans) {
      const before = lostCount();
      for (const span of spans) {
        try {
          self.ended(span);
        } catch {
          // It is none. Whoever exports it counts on hearing of that.
          totals.spans.created++;
          dropped('unencodable', 1);
        }
      }
      await drain();
      if (opened?.outbox.store) await opened.outbox.save();
      // Memory is no place to wait in: whoever exports has waited for company already.
      else filling.close();
      return lostCount() === before;
    },
    started(span) {
      if (totals.consent === 'denied') refused.add(span);
      else {
        buffer.started(span);
        alarm.soon();
      }
    },
    ended(span) {
      if (totals.consent === 'denied' || refused.delete(span)) return;
      if (totals.state !== 'running') {
        totals.spans.created++;
        return dropped(totals.state === 'paused' ? 'paused' : 'shutdown', 1);
      }
      buffer.ended(span);
      alarm.soon();
    },
    discard: buffer.discard,
    setConsent: (said) => consent.set(said),
    ask: () => void opened?.opening.then(() => opened?.destination.ask?.()),
    async flush(timeoutMillis) {
      const lostBefore = lostCount();
      await consent.settled();
      const endMillis = platform.monotonic() + timeoutMillis;
      const rest = (): number => Math.max(0, endMillis - platform.monotonic());
      buffer.sweep('quiet');
      // In slices: whoever flushes has not left, and a burst at once would be a long task.
      await inTime(timeoutMillis, drain());
      filling.close();
      await inTime(rest(), opened?.opening);
      await inTime(rest(), opened?.delivery?.flush());
      // Consent may have ended it meanwhile: what waited has its place in the ledger first.
      await consent.settled();
      if (totals.consent === 'denied') return 'lost';
      if (lostCount() > lostBefore || totals.state === 'paused') return 'lost';
      return diagnostics.stats().spans.waiting ? 'waiting' : 'stored';
    },
    async shutdown(timeoutMillis) {
      const result = await self.flush(timeoutMillis);
      if (totals.state === 'shut-down') return result;
      totals.state = 'shut-down';
      alarm.stop();
      stayTimer?.();
      stopPage();
      consent.close();
      buffer.sweep('all');
      drainNow();
      filling.close();
      dropBuffered('shutdown');
      const ended = opened;
      opened = undefined;
      ended?.delivery?.close();
      ended?.destination.close();
      await ended?.outbox.close('shutdown');
      counted = undefined;
      ended?.destination.leave?.();
      return result;
    },
  };
  const consent = createConsent({ platform, diagnostics, open, end }, deps.consent);
  return self;
}
