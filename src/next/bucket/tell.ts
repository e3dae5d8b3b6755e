/**
 * The one POST: asks for uploads by id and length, tells what was stored and lost, hears of the clock, the kill switch
 * and the sampling rules. Whoever asks awaits the answer; what is to be told goes along, or by itself after a while.
 */

import type { Diagnostics } from '../../diagnostics/diagnostics.js';
import { nextDelayMillis } from '../../pipeline/retry.js';
import type { Platform, Stop } from '../../platform/platform.js';
import type { PageLedger } from '../../protocol.js';
import type { Upload } from '../pipeline/model.js';
import type { Endpoint, Receipt, Want } from './endpoint.js';

export interface TellDeps {
  platform: Pick<Platform, 'after' | 'now' | 'monotonic' | 'random' | 'onOnline'>;
  diagnostics: Diagnostics;
  /** Name of this load of the page. */
  page: string;
  clockOffset(millis: number): void;
  pause(): void;
  rules(rules: unknown): void;
  /** The store takes no uploads from outside: blobs go to the relay. */
  relayOnly(): void;
  /** Takes uploads that were not asked for. */
  spares(uploads: Upload[]): void;
}

/** What the server says of one want. */
export type Answer =
  | { status: 'upload'; upload: Upload }
  | { status: 'stored' }
  /** It has none for this id. */
  | { status: 'none' }
  /** There was no answer that can be used. */
  | { status: 'failed'; cause: string; retryAfterMillis?: number | undefined };

export interface Tell {
  ask(want: Want): Promise<Answer>;
  /** `told` is called when the server has taken it. */
  tell(receipt: Receipt, told: () => void): void;
  /** Asks for nothing, to hear the operator's word. */
  talk(): void;
  /** By a beacon: what was stored and lost, and what went out without an answer. */
  leave(unconfirmed: readonly Receipt[]): void;
  /** Resolves when all has been told, or could not be. */
  settle(): Promise<void>;
  close(): void;
}

/** How long what was stored waits for a question to go along with. */
const TELL_MILLIS = 60_000;
/** What the endpoint takes at once. */
const MAX_RECEIPTS = 80;
const MAX_WANTS = 20;
/** A refusal of the whole page, not of a request. */
const REFUSED_MILLIS = 60_000;

export function createTell(deps: TellDeps, endpoint: Endpoint): Tell {
  const { platform, diagnostics } = deps;
  const { totals } = diagnostics;
  const wants = new Map<string, { want: Want; answered: (answer: Answer) => void }>();
  const receipts = new Map<string, { receipt: Receipt; told: () => void }>();
  let toldLost: Record<string, number> = {};
  let talking: Promise<void> | undefined;
  let isAsked = false;
  let failures = 0;
  let timer: Stop | undefined;
  let closed = false;

  const lostSince = (): Record<string, number> => {
    const lost: Record<string, number> = {};
    for (const [reason, count] of Object.entries(totals.spans.dropped)) {
      const fresh = count - (toldLost[reason] ?? 0);
      if (fresh > 0) lost[reason] = fresh;
    }
    return lost;
  };

  const ledger = (): PageLedger => {
    const { spans } = diagnostics.stats();
    const dropped = Object.values(spans.dropped).reduce((sum, count) => sum + count, 0);
    return { ...spans, dropped, id: deps.page, sealed: totals.blobs.sealed };
  };

  const exchange = async (): Promise<void> => {
    isAsked = false;
    const asking = [...wants.values()].slice(0, MAX_WANTS);
    const telling = [...receipts.values()].slice(0, MAX_RECEIPTS);
    for (const { want } of asking) wants.delete(want.id);
    const lost = lostSince();
    const dropped = { ...totals.spans.dropped };
    totals.requests.exchanges++;
    const sentAt = platform.monotonic();
    const answer = await endpoint.exchange({
      wants: asking.map(({ want }) => want),
      stored: telling.map(({ receipt }) => receipt),
      lost,
      page: ledger(),
    });
    if (closed) return;
    if (!answer.ok) {
      failures++;
      totals.requests.exchangeFailures++;
      diagnostics.trouble('endpoint', answer.cause);
      const retryAfterMillis = answer.retryAfterMillis ?? (answer.isRefused ? REFUSED_MILLIS : undefined);
      for (const { answered } of asking)
        answered({ status: 'failed', cause: answer.cause, retryAfterMillis });
      // What it cannot read it will never take.
      if (answer.isMalformed) for (const { receipt, told } of telling) settleReceipt(receipt, told);
      return;
    }
    failures = 0;
    toldLost = dropped;
    if (answer.now !== undefined) {
      const halfway = (platform.monotonic() - sentAt) / 2;
      deps.clockOffset(answer.now + halfway - platform.now());
    }
    for (const { receipt, told } of telling) settleReceipt(receipt, told);
    if (answer.isRelayOnly) deps.relayOnly();
    const spares: Upload[] = [];
    const answers = new Map<string, Answer>();
    for (const one of answer.uploads) {
      if ('stored' in one) answers.set(one.id, { status: 'stored' });
      else {
        const upload: Upload = { ...one, endsAtMillis: sentAt + one.expiresInMs };
        const isWanted = asking.some(({ want }) => want.id === one.id) && !answers.has(one.id);
        if (isWanted) answers.set(one.id, { status: 'upload', upload });
        else spares.push({ ...upload, key: one.key ?? one.id });
      }
    }
    deps.spares(spares);
    for (const { want, answered } of asking) answered(answers.get(want.id) ?? { status: 'none' });
    if (answer.rules !== undefined) deps.rules(answer.rules);
    if (answer.isPaused) deps.pause();
  };

  const settleReceipt = (receipt: Receipt, told: () => void): void => {
    receipts.delete(receipt.id);
    told();
  };

  const next = (): void => {
    timer?.();
    timer = undefined;
    if (closed || talking) return;
    if (wants.size || isAsked) begin();
    else if (receipts.size || (failures && Object.keys(lostSince()).length)) {
      const delay = failures ? nextDelayMillis(failures, platform.random()) : 0;
      timer = platform.after(Math.max(TELL_MILLIS, delay), begin);
    }
  };
  const begin = (): void => {
    talking ??= exchange()
      .catch(diagnostics.exception)
      .then(() => {
        talking = undefined;
        next();
      });
  };

  return {
    ask(want) {
      return new Promise((answered) => {
        wants.set(want.id, { want, answered });
        // What is packed in the same moment is asked for together.
        void Promise.resolve().then(next);
      });
    },
    tell(receipt, told) {
      receipts.set(receipt.id, { receipt, told });
      if (!timer) next();
    },
    talk() {
      isAsked = true;
      next();
    },
    leave(unconfirmed) {
      const telling = [...receipts.values()];
      const stored = [...unconfirmed, ...telling.map(({ receipt }) => receipt)].slice(0, MAX_RECEIPTS);
      const lost = lostSince();
      if (!stored.length && !Object.keys(lost).length) return;
      const message = { wants: [], stored, lost, page: ledger() };
      // Beside the bytes there may be room for little.
      const short = { ...message, stored: stored.map((receipt) => ({ ...receipt, traces: [] })) };
      if (!endpoint.beacon?.(message) && !endpoint.beacon?.(short)) return;
      totals.requests.beacons++;
      toldLost = { ...totals.spans.dropped };
    },
    async settle() {
      const before = failures;
      while (
        !closed &&
        failures === before &&
        (receipts.size || talking || Object.keys(lostSince()).length)
      ) {
        begin();
        await talking;
      }
    },
    close() {
      closed = true;
      timer?.();
      for (const { answered } of wants.values()) answered({ status: 'failed', cause: 'closed' });
    },
  };
}
