import type { PageLedger, StoredReceipt } from '../protocol.js';
import type { IngestContext } from './ingest-options.js';
import { integerOption } from './option-check.js';
import { addToRanges, type NumberRange, subtractRanges } from './ranges.js';

/** Options of `createLedger`. */
export interface LedgerOptions {
  /**
   * Pages remembered, 1 to 100,000; beyond, the one not heard of for longest is forgotten. Pages that only say so
   * themselves, and of which no receipt was genuine, push out each other while they are more than half of all. Default
   * 1,000. A page takes some 1 kB, and 50 kB where a client does its worst.
   */
  maxPages?: number;
}

/** What is known of one load of a page. All of it is hearsay, but that its receipts had genuine tokens. */
export interface PageAccount {
  project: string;
  /** UUID of the load. */
  id: string;
  /** The latest that the page said of itself; absent while only receipts have named it. */
  counts?: PageLedger;
  /**
   * Whether `created + adopted = stored + waiting + dropped + handedOver` holds for `counts`. False is a fault of
   * the client, or a lie; absent without `counts`.
   */
  balanced?: boolean;
  /**
   * Spans lost by reason, as told; a loss told twice counts twice. The reasons that our clients give, and at most 30
   * further ones; what is beyond is `other`.
   */
  lost: Record<string, number>;
  /**
   * Objects that the page has sealed and no receipt has named: waiting there or with a page that took them over,
   * dropped, or lost without a word. `counts.waiting` and `counts.dropped` say which it can be.
   */
  gaps: NumberRange[];
  /** Objects of which only a page that was leaving has said that it sent them. */
  unconfirmed: NumberRange[];
  /** True when receipts came so far out of order that some were not kept: `gaps` and `unconfirmed` may be too long. */
  overflowed: boolean;
}

/** An account of what clients stored and lost, page by page. The methods do not need `this`. */
export interface Ledger {
  /** For `onStored`. Receipts without a number are passed over. */
  onStored(receipts: readonly StoredReceipt[], context: IngestContext): void;
  /** For `onPage`. A ledger older than the one at hand is passed over. */
  onPage(ledger: PageLedger, context: IngestContext): void;
  /** For `onLost`. Losses of a client that does not name its page go into `lost()` alone. */
  onLost(lost: Readonly<Record<string, number>>, context: IngestContext): void;
  /** The pages remembered, in no order. The answer is the caller's own. */
  pages(): PageAccount[];
  /** All losses told so far, by reason, those of forgotten pages as well; bounded like a page's. */
  lost(): Record<string, number>;
}

interface Page {
  project: string;
  id: string;
  counts: PageLedger | undefined;
  lost: Map<string, number>;
  /** Numbers that any receipt has named, and those of them that are certain. */
  named: NumberRange[];
  confirmed: NumberRange[];
  overflowed: boolean;
}

/** Objects arrive nearly in order: four uploads are under way at once, and retries come late. */
const MAX_RANGES = 256;
const MAX_REASONS = 30;
/** What our clients say. */
const REASONS: ReadonlySet<string> = new Set([
  ...['buffer-full', 'outbox-full', 'too-old', 'unencodable', 'too-large', 'redacted', 'consent', 'rejected'],
  ...['paused', 'shutdown'],
]);

/**
 * Makes an account of what the hooks of `createIngest` are told, in memory.
 *
 * A fold without clock or store: the same calls give the same account, so it can as well be fed from a log or a
 * queue, and where many servers answer for one endpoint it has to be. Bounded, whatever clients say. Takes what
 * the hooks are given, which has been checked. Never throws, and keeps nothing that it is handed.
 *
 * @throws {TypeError} naming the option, when `maxPages` is unusable.
 */
export function createLedger(options: LedgerOptions = {}): Ledger {
  const maxPages = integerOption('maxPages', options.maxPages ?? 1_000, 1, 100_000);
  /** Those that genuine receipts have named, and the others; each heard of the longest ago first. */
  const proven = new Map<string, Page>();
  const hearsay = new Map<string, Page>();
  const allLost = new Map<string, number>();

  const heardOf = (id: string, { project }: IngestContext, isProven = false): Page => {
    const place = `${project} ${id}`;
    const page = proven.get(place) ??
      hearsay.get(place) ?? {
        project,
        id,
        counts: undefined,
        lost: new Map(),
        named: [],
        confirmed: [],
        overflowed: false,
      };
    const kind = isProven || proven.has(place) ? proven : hearsay;
    for (const pages of [proven, hearsay]) pages.delete(place);
    kind.set(place, page);
    if (proven.size + hearsay.size > maxPages) {
      const crowd = hearsay.size > maxPages / 2 || proven.size === 0 ? hearsay : proven;
      const [oldest] = crowd.keys();
      if (oldest !== undefined) crowd.delete(oldest);
    }
    return page;
  };

  return {
    onStored(receipts, context) {
      for (const { page: id, seq, unconfirmed } of receipts) {
        if (id === undefined || seq === undefined) continue;
        const page = heardOf(id, context, true);
        const isKept =
          addToRanges(page.named, seq, MAX_RANGES) &&
          (unconfirmed === true || addToRanges(page.confirmed, seq, MAX_RANGES));
        if (!isKept) page.overflowed = true;
      }
    },
    onPage(counts, context) {
      const page = heardOf(counts.id, context);
      if (!page.counts || progressOf(counts) >= progressOf(page.counts)) page.counts = { ...counts };
    },
    onLost(lost, context) {
      count(allLost, lost);
      if (context.page !== undefined) count(heardOf(context.page, context).lost, lost);
    },
    pages: () => [...proven.values(), ...hearsay.values()].map(accountOf),
    lost: () => Object.fromEntries(allLost),
  };
}

function accountOf({ project, id, counts, lost, named, confirmed, overflowed }: Page): PageAccount {
  // A receipt announces too: its number may be past the ledger at hand.
  const sealed = Math.max(counts?.sealed ?? 0, named.at(-1)?.last ?? 0);
  return {
    project,
    id,
    ...(counts ? { counts: { ...counts }, balanced: isBalanced(counts) } : {}),
    lost: Object.fromEntries(lost),
    gaps: subtractRanges([{ first: 1, last: sealed }], named),
    unconfirmed: subtractRanges(named, confirmed),
    overflowed,
  };
}

/** Grows with the page's life, since each counter does; requests of a leaving page overtake one another. */
function progressOf({ sealed, created, adopted, stored, dropped, handedOver }: PageLedger): number {
  return sealed + created + adopted + stored + dropped + handedOver;
}

function isBalanced({ created, adopted, stored, waiting, dropped, handedOver }: PageLedger): boolean {
  const sum = created + adopted;
  // Beyond, sums are rounded, and anything would balance.
  return Number.isSafeInteger(sum) && sum === stored + waiting + dropped + handedOver;
}

function count(counts: Map<string, number>, lost: Readonly<Record<string, number>>): void {
  for (const [reason, spans] of Object.entries(lost)) {
    const others = Array.from(counts.keys()).filter((name) => !REASONS.has(name));
    const hasRoom = REASONS.has(reason) || counts.has(reason) || others.length < MAX_REASONS;
    const name = hasRoom ? reason : 'other';
    counts.set(name, (counts.get(name) ?? 0) + spans);
  }
}
