/** One delivery for each destination, with a ledger of its own, and what the operators of all of them say. */

import type { Destination } from '../destinations/destination.js';
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import { sumOf } from '../json.js';
import { type Delivery, type DeliveryDeps, openDelivery } from './delivery.js';
import type { EncodedTrace, SealedBlob } from './model.js';
import type { OutboxLimits } from './outbox.js';
import type { Lane, SealedItem } from './seal.js';

export interface DeliveriesDeps
  extends Omit<DeliveryDeps, 'diagnostics' | 'destination' | 'adoptedTraces' | 'adopted'> {
  /** Counts for the first destination, and what is lost on the way to all. */
  diagnostics: Diagnostics;
  destination: Destination;
  /** Takes traces of an earlier page that are to be sealed. */
  adoptedTraces(traces: EncodedTrace[], lane: Lane): void;
  /** Something of an earlier page is here. */
  adopted(): void;
  /** The operators' kill switches: none takes any more. */
  paused(): void;
}

export interface Deliveries {
  readonly all: readonly Delivery[];
  readonly spanCount: number;
  /** Whether any takes no more. */
  readonly isPaused: boolean;
  /** Spans that any of them has lost so far. */
  readonly lostCount: number;
  /** The ledger of one, or for what is for all that of the first. */
  ledgerOf(lane: Lane): Diagnostics;
  /** Takes a blob in, made of `items`. See `Delivery.add`. */
  add(blob: SealedBlob, items: readonly SealedItem[], lane: Lane, away: boolean): Promise<unknown>;
  /** These are in a blob of no delivery, and lost. */
  release(items: readonly SealedItem[]): void;
  shutDown(): void;
  end(): Promise<unknown>;
}

export function openDeliveries(deps: DeliveriesDeps, limits: OutboxLimits): Deliveries {
  const destinations = deps.destination.branches ?? [deps.destination];
  const ledgers = destinations.map((_, at) => (at ? deps.diagnostics.other(at - 1) : deps.diagnostics));
  const ledgerOf = (lane: Lane): Diagnostics => ledgers[lane ?? 0] as Diagnostics;
  const all: Delivery[] = [];
  /** Whose sampling rules hold: the first that has any. */
  let ruler = destinations.length;

  const pauseIfAll = (): void => {
    if (all.length === destinations.length && all.every(({ isPaused }) => isPaused)) deps.paused();
  };
  destinations.forEach((destination, at) => {
    const diagnostics = ledgerOf(at);
    all.push(
      openDelivery(
        {
          ...deps,
          ...{ diagnostics, destination },
          // Where there is only one they can be sealed together with what is new.
          adoptedTraces: (traces) => deps.adoptedTraces(traces, destinations.length > 1 ? at : undefined),
          paused() {
            // The first's is that of the whole.
            if (at) diagnostics.totals.state = 'paused';
            pauseIfAll();
          },
          rules(rules) {
            ruler = Math.min(ruler, at);
            if (at === ruler) deps.rules(rules);
          },
        },
        limits,
      ),
    );
  });
  // The last may have been paused while it was being opened.
  pauseIfAll();

  return {
    all,
    get spanCount() {
      return sumOf(all, ({ spanCount }) => spanCount);
    },
    get isPaused() {
      return all.some(({ isPaused }) => isPaused);
    },
    get lostCount() {
      return sumOf(ledgers, ({ totals: { spans } }) => sumOf(Object.values(spans.dropped), (count) => count));
    },
    ledgerOf,
    add(blob, items, lane, away) {
      const isFor = (at: number): boolean => lane === undefined || lane === at;
      return Promise.all(
        all.map((delivery, at) => {
          // What was adopted has been counted.
          if (at && lane === undefined) ledgerOf(at).totals.spans.created += blob.spanCount;
          return isFor(at) ? delivery.add(blob, items, away) : undefined;
        }),
      );
    },
    release(items) {
      for (const { checkpoint } of all) checkpoint?.release(items);
    },
    shutDown() {
      for (const { totals } of ledgers) totals.state = 'shut-down';
      for (const delivery of all) delivery.shutDown();
    },
    end: () => Promise.all(all.map((delivery) => delivery.end())),
  };
}
