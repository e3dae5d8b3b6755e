/** Tells the server what was stored. Stage 7 of 8: keeps receipts until a request to the endpoint was answered. */
import type { StoredReceipt } from '../protocol.js';

export interface Notifier {
  /** A blob was stored; its receipt rides on the next request to the endpoint. */
  add(receipt: StoredReceipt): void;
  /** Receipts for one request. They stay owed until {@link settle}. */
  take(): StoredReceipt[];
  /** The request with the taken receipts was answered, or failed and they are owed again. */
  settle(answered: boolean): void;
  /** How long the oldest receipt may still wait for company, milliseconds; Infinity when nothing is owed. */
  readonly dueInMillis: number;
  readonly size: number;
}

/** A server that indexes traces as they are announced should not wait longer than this. */
const NOTIFY_MILLIS = 5_000;
/** The endpoint's limit. */
const MAX_RECEIPTS = 100;
/** Receipts are hints, so a server that never answers may cost us memory only up to here; the oldest go. */
const MAX_OWED = 1_000;

export function createNotifier(monotonic: () => number): Notifier {
  let owed: { receipt: StoredReceipt; sinceMillis: number }[] = [];
  let taken = 0;
  return {
    add(receipt) {
      owed.push({ receipt, sinceMillis: monotonic() });
      if (owed.length > MAX_OWED && !taken) owed.shift();
    },
    take() {
      taken = Math.min(owed.length, MAX_RECEIPTS);
      return owed.slice(0, taken).map((entry) => entry.receipt);
    },
    settle(answered) {
      if (answered) owed = owed.slice(taken);
      taken = 0;
    },
    get dueInMillis() {
      const oldest = owed[0];
      return oldest
        ? Math.max(0, oldest.sinceMillis + NOTIFY_MILLIS - monotonic())
        : Number.POSITIVE_INFINITY;
    },
    get size() {
      return owed.length;
    },
  };
}
