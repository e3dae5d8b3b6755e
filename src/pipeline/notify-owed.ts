/** What the server has not heard yet: receipts of stored objects, and spans lost. Kept for the next page meanwhile. */
import type { StoredReceipt } from '../protocol.js';

/** Part of a message. */
export interface OwedPart {
  stored: StoredReceipt[];
  lost: Record<string, number>;
}

export interface Owed {
  /** Receipts that no message carries. */
  readonly receiptCount: number;
  add(receipt: StoredReceipt): void;
  /** Takes what an earlier page kept; hands a receipt back rather than adding it. */
  remembered(name: string, value: unknown): StoredReceipt | undefined;
  /** What the next message can carry, with or without receipts. */
  next(isForReceipts: boolean): OwedPart;
  /** It is under way, and counts as told. */
  underWay(part: OwedPart): void;
  /** It was not heard. */
  back(part: OwedPart): void;
  /** It was heard, or never will be: the next page need not say it again. */
  settled(part: OwedPart): void;
}

/** Receipts and their traces in one request, together: some 500 bytes each, below the endpoint's 64 KiB. */
export const MAX_WEIGHT = 80;
/** Receipts are hints; beyond this many the oldest go. */
const MAX_OWED = 1_000;
/** Where the lost spans are remembered; receipts are under their tokens. */
const LOST = 'lost';

function isReceipt(value: unknown): value is StoredReceipt {
  const { key, token, spanCount, bytes, traces } = (value ?? {}) as Partial<StoredReceipt>;
  const isText = typeof key === 'string' && typeof token === 'string';
  return isText && Number.isSafeInteger(spanCount) && Number.isSafeInteger(bytes) && Array.isArray(traces);
}

export function createOwed(deps: {
  /** Spans lost on this page so far, by reason. */
  dropped(): Partial<Record<string, number>>;
  /** Keeps something for the next page, or forgets it when undefined. */
  remember(name: string, value: unknown): void;
}): Owed {
  /** Spans that earlier pages lost and could not tell. */
  const lostEarlier: Record<string, number> = {};
  const toldLost: Record<string, number> = {};
  let receipts: StoredReceipt[] = [];

  const untold = (): Record<string, number> => {
    const lost: Record<string, number> = {};
    const dropped = deps.dropped();
    for (const reason of new Set([...Object.keys(dropped), ...Object.keys(lostEarlier)])) {
      const count = (dropped[reason] ?? 0) + (lostEarlier[reason] ?? 0) - (toldLost[reason] ?? 0);
      if (count > 0) lost[reason] = count;
    }
    return lost;
  };
  const rememberLost = (): void => {
    const lost = untold();
    deps.remember(LOST, Object.keys(lost).length ? lost : undefined);
  };
  const countTold = ({ lost }: OwedPart, sign: 1 | -1): void => {
    for (const reason in lost) toldLost[reason] = (toldLost[reason] ?? 0) + sign * (lost[reason] as number);
  };

  return {
    get receiptCount() {
      return receipts.length;
    },
    add(receipt) {
      deps.remember(receipt.token, receipt);
      const all = [...receipts, receipt];
      receipts = all.slice(-MAX_OWED);
      for (const { token } of all.slice(0, -MAX_OWED)) deps.remember(token, undefined);
    },
    remembered(name, value) {
      if (name !== LOST) return isReceipt(value) ? value : undefined;
      for (const [reason, count] of Object.entries(value ?? {})) {
        if (count > 0) lostEarlier[reason] = (lostEarlier[reason] ?? 0) + Number(count);
      }
      rememberLost();
      return undefined;
    },
    next(isForReceipts) {
      const stored: StoredReceipt[] = [];
      let weight = 0;
      for (const receipt of isForReceipts ? receipts : []) {
        weight += 1 + receipt.traces.length;
        if (weight > MAX_WEIGHT && stored.length) break;
        stored.push(receipt);
      }
      return { stored, lost: untold() };
    },
    underWay(part) {
      receipts = receipts.filter((receipt) => !part.stored.includes(receipt));
      countTold(part, 1);
    },
    back(part) {
      receipts = [...part.stored, ...receipts];
      countTold(part, -1);
      rememberLost();
    },
    settled({ stored }) {
      for (const { token } of stored) deps.remember(token, undefined);
      rememberLost();
    },
  };
}
