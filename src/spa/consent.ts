/**
 * Stands in front of the pipeline, which is there only while the user consents.
 *
 * | consent   | spans                                    | pipeline                                            |
 * | --------- | ---------------------------------------- | --------------------------------------------------- |
 * | `granted` | go on, those that were held first        | open                                                |
 * | `pending` | are held in memory                       | none: no database, lock or request                  |
 * | `denied`  | are dropped; new ones are not even counted | none, and what pages of this origin kept is deleted |
 *
 * Other tabs hear of a denial by a storage event; a grant is for each page to say.
 */

import type { Diagnostics } from '../diagnostics/diagnostics.js';
import { sumOf } from '../json.js';
import type { Consent } from '../page-options.js';
import type { SpanGroup } from '../pipeline/model.js';
import type { OpenPipeline, Pipeline } from '../pipeline/pipeline.js';
import { DENIALS } from '../platform/notes.js';
import type { Platform, Stop } from '../platform/platform.js';

export interface ConsentGate {
  /** What is open, or what stands for it. */
  readonly pipeline: Pipeline;
  set(consent: Consent): void;
  /** Calls `listener` when the user has denied, here or in another tab. */
  onDenied(listener: () => void): Stop;
  /** Spans that are held at most. */
  maxHeldSpans: number;
}

export interface ConsentGateDeps {
  platform: Platform;
  diagnostics: Diagnostics;
  open(diagnostics: Diagnostics): OpenPipeline;
}

interface Held {
  groups: SpanGroup[];
  spanCount: number;
  done(safe: boolean | Promise<boolean>): void;
}

/** Said and taken back at once: it is the event that counts. */
const NOTE = 'spandrel-1 consent';
/** A page that starts as denied may be told better in its first moments, by whoever knows what the user said before. */
const DELETE_MILLIS = 1_000;
/** How long a database that does not answer keeps what is granted again from being opened. */
const PATIENCE_MILLIS = 5_000;

export function createConsentGate(deps: ConsentGateDeps, first: Consent, maxHeldSpans: number): ConsentGate {
  const { platform, diagnostics } = deps;
  const { totals, dropped, guard } = diagnostics;
  const drains = new Set<(isOver: boolean) => void>();
  const listeners = new Set<() => void>();
  const gauges: Stop[] = [];
  let held: Held[] = [];
  let heldCount = 0;
  let inner: OpenPipeline | undefined;
  /** What was open is closing, or what was kept is being deleted. */
  let closing: Promise<void> | undefined;

  const drainAll = (isOver: boolean): void => {
    for (const drain of drains) guard(() => drain(isOver));
  };
  const takeHeld = (): Held[] => {
    const all = held;
    held = [];
    heldCount = 0;
    return all;
  };
  const dropHeld = (): void => {
    for (const { spanCount, done } of takeHeld()) {
      dropped('consent', spanCount);
      done(false);
    }
  };

  const open = (): void => {
    if (inner || closing || totals.consent !== 'granted' || totals.state === 'shut-down') return;
    /** What is opened lends its gauges until it is closed. */
    const lent = (ledger: Diagnostics): Diagnostics => ({
      ...ledger,
      gauge(write) {
        const stop = ledger.gauge(write);
        gauges.push(stop);
        return stop;
      },
      other: (at) => lent(ledger.other(at)),
    });
    const opened = deps.open(lent(diagnostics));
    inner = opened;
    opened.beforeSend(drainAll);
    for (const { groups, done } of takeHeld()) done(opened.accept(groups));
  };

  const deleteAll = async (): Promise<void> => {
    const { notes } = platform;
    const denials = Number(notes?.get(DENIALS) ?? 0) + 1;
    const isDeleted = await new Promise<boolean>((resolve) => {
      const stop = platform.after(PATIENCE_MILLIS, () => resolve(false));
      const deleted = (made: boolean): void => {
        stop();
        resolve(made);
      };
      platform.purge().then(
        () => deleted(true),
        (error) => {
          diagnostics.trouble('storage', String(error));
          deleted(false);
        },
      );
      // Other notes are gone by now. What the database keeps all the same must never be sent.
      notes?.set(DENIALS, String(denials));
    });
    if (isDeleted) notes?.delete(DENIALS);
  };

  const close = (deletes: boolean): void => {
    const withdrawn = inner?.withdraw(deletes);
    inner = undefined;
    for (const stop of gauges.splice(0)) stop();
    const before = closing;
    const work = (async () => {
      await Promise.all([before, withdrawn]);
      if (deletes) await deleteAll();
    })()
      .catch(diagnostics.exception)
      .then(() => {
        if (closing !== work) return;
        closing = undefined;
        guard(open);
      });
    closing = work;
  };

  const change = (consent: Consent): void => {
    totals.consent = consent;
    const denied = consent === 'denied';
    if (consent === 'granted') open();
    else if (inner || denied) close(denied);
    if (denied) {
      for (const listener of listeners) guard(listener);
      drainAll(false);
      dropHeld();
    }
    diagnostics.changed();
  };

  totals.consent = first;
  diagnostics.gauge((stats) => {
    stats.spans.waiting += heldCount;
  });
  const stopPage = platform.onPage((signal) => {
    if (inner || signal !== 'leaving') return;
    // Nobody can be asked any more.
    drainAll(false);
    dropHeld();
  });
  const stopNotes = platform.onNote((name, text) => {
    if (name === NOTE && text === 'denied' && totals.consent !== 'denied') change('denied');
  });
  if (first === 'denied') {
    platform.whenIdle(DELETE_MILLIS, () => {
      if (totals.consent === 'denied') close(true);
    });
  }
  open();

  const self: ConsentGate = {
    maxHeldSpans,
    set(consent) {
      if (consent === 'denied') platform.notes?.set(NOTE, consent);
      else if (consent === totals.consent) return;
      change(consent);
    },
    onDenied(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    pipeline: {
      ended: (span) => inner?.ended(span),
      lost: (spans) => inner?.lost(spans),
      ask: () => inner?.ask(),
      accept(groups) {
        if (inner) return inner.accept(groups);
        const spanCount = sumOf(groups, ({ spans }) => spans.length);
        const isFull = heldCount + spanCount > self.maxHeldSpans;
        if (isFull || totals.consent === 'denied' || totals.state === 'shut-down') {
          dropped(isFull ? 'buffer-full' : totals.consent === 'denied' ? 'consent' : 'shutdown', spanCount);
          return Promise.resolve(false);
        }
        heldCount += spanCount;
        return new Promise((done) => held.push({ groups, spanCount, done }));
      },
      beforeSend(drain) {
        drains.add(drain);
        return () => void drains.delete(drain);
      },
      async flush(timeoutMillis) {
        await closing;
        if (inner) return inner.flush(timeoutMillis);
        drainAll(false);
        if (totals.consent === 'denied') return 'lost';
        return heldCount ? 'waiting' : 'stored';
      },
      async shutdown(timeoutMillis) {
        await closing;
        const result = inner ? await inner.shutdown(timeoutMillis) : await self.pipeline.flush(0);
        totals.state = 'shut-down';
        dropHeld();
        stopPage();
        stopNotes();
        drains.clear();
        return result;
      },
    },
  };
  return self;
}
