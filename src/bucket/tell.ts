/**
 * The one POST: asks for uploads by id and length, tells what was stored and lost, hears of the clock, the kill switch
 * and the sampling rules. Whoever asks awaits the answer; what is to be told goes along, or by itself after a while.
 */

import type { Diagnostics } from '../diagnostics/diagnostics.js';
import { sumOf } from '../json.js';
import type { Outcome, Upload } from '../pipeline/model.js';
import { nextDelayMillis } from '../pipeline/retry.js';
import type { Platform, Stop } from '../platform/platform.js';
import type { Endpoint, LossReport, Message, Receipt, Want } from './endpoint.js';
import { fitting, MAX_RECEIPTS, type Told } from './receipts.js';

export interface TellDeps {
  platform: Pick<Platform, 'after' | 'now' | 'monotonic' | 'random' | 'onOnline'>;
  diagnostics: Diagnostics;
  /** Name of this load of the page. */
  page: string;
  signal?: 'logs';
  clockOffset(millis: number): void;
  pause(): void;
  rules(rules: unknown): void;
  /** The store takes no uploads from outside: blobs go to the relay. */
  relayOnly(): void;
  /** Takes uploads that were not asked for. */
  spares(uploads: Upload[]): void;
}

/** What the server says of one want. */
export type Answer = Upload | Outcome;
/** It has none for this id. */
export const NO_UPLOAD = 'no upload';

export interface Tell {
  ask(want: Want): Promise<Answer>;
  /** `told` is called when the server has taken it. */
  tell(receipt: Receipt | LossReport, told: () => void): void;
  /** Asks for nothing, to hear the operator's word. */
  talk(): void;
  /**
   * By a beacon: what was stored and lost, and what went out without an answer.
   *
   * @returns the losses, where that was not possible.
   */
  leave(unconfirmed: readonly Receipt[]): LossReport | undefined;
  /** Resolves when all has been told, or could not be. */
  settle(): Promise<void>;
  close(): void;
}

/** How long what was stored waits for a question to go along with. */
const TELL_MILLIS = 60_000;
/** What the endpoint takes at once. */
const MAX_WANTS = 20;
/** A refusal of the whole page, not of a request. */
const REFUSED_MILLIS = 60_000;

export function createTell(deps: TellDeps, endpoint: Endpoint): Tell {
  const { platform, diagnostics } = deps;
  const { totals } = diagnostics;
  const wants: { want: Want; answered: (answer: Answer) => void }[] = [];
  const receipts = new Map<string, Told>();
  /** What the server knows. */
  let known: { lost: Counts; health: Counts } = { lost: {}, health: {} };
  let talking: Promise<void> | undefined;
  let isAsked = false;
  let failures = 0;
  /** Failures ever, of those that hear receipts by themselves too. */
  let failed = 0;
  /** Receipts are being heard by themselves. */
  let hearing: Promise<void> | undefined;
  let timer: Stop | undefined;
  let closed = false;

  const counted = (): typeof known => {
    const { uploadFailures, exchangeFailures } = totals.requests;
    return {
      lost: { ...totals.spans.dropped },
      health: {
        uploadFailures,
        exchangeFailures,
        noUpload: totals.pool.empty,
        exceptions: totals.exceptions,
      },
    };
  };
  const lostSince = (): Counts => since(totals.spans.dropped, known.lost);
  const isOwing = (): boolean => receipts.size > 0 || Object.keys(lostSince()).length > 0;

  const message = (wants: Want[], told: (Receipt | LossReport)[]): Message => {
    const { spans, buffer } = diagnostics.stats();
    const lost = lostSince();
    const stored = told.filter((one): one is Receipt => {
      if (!('lost' in one)) return true;
      for (const reason in one.lost) lost[reason] = (lost[reason] ?? 0) + (one.lost[reason] as number);
      return false;
    });
    const dropped = sumOf(Object.values(spans.dropped), (count) => count);
    const health = { ...since(counted().health, known.health), highWater: buffer.highWater };
    // What the server counts are spans.
    if (deps.signal) return { wants, stored, lost: {} };
    const page = { ...spans, dropped, id: deps.page, sealed: totals.blobs.sealed, health };
    return { wants, stored, lost, page };
  };

  const exchange = async (): Promise<void> => {
    isAsked = false;
    const asking = wants.splice(0, MAX_WANTS);
    const telling = hearing ? [] : fitting(receipts.values());
    const before = known;
    const body = message(
      asking.map(({ want }) => want),
      telling.map(({ receipt }) => receipt),
    );
    known = counted();
    totals.requests.exchanges++;
    const sentAt = platform.monotonic();
    const answer = await endpoint.exchange(body);
    const refuse = (cause: string, retryAfterMillis?: number): void => {
      for (const { answered } of asking) answered({ status: 'retryable', cause, retryAfterMillis });
    };
    if (closed) return refuse('closed');
    if (answer.heard) hear(answer.heard, telling);
    if (!answer.ok) {
      failures++;
      failed++;
      known = before;
      totals.requests.exchangeFailures++;
      const { cause, isRefused } = answer;
      diagnostics.trouble('endpoint', cause);
      refuse(cause, answer.retryAfterMillis ?? (isRefused ? REFUSED_MILLIS : undefined));
      // What it cannot read it will never take.
      if (answer.isMalformed) settled(telling);
      return;
    }
    totals.buffer.highWater = 0;
    failures = 0;
    if (!answer.heard) settled(telling);
    if (answer.now !== undefined) {
      const halfway = (platform.monotonic() - sentAt) / 2;
      deps.clockOffset(answer.now + halfway - platform.now());
    }
    if (answer.isRelayOnly) deps.relayOnly();
    const spares: Upload[] = [];
    const answers = new Map<string, Answer>();
    for (const one of answer.uploads) {
      const { id } = one;
      const isWanted = asking.some(({ want }) => want.id === id) && !answers.has(id);
      if ('stored' in one) answers.set(id, { status: 'stored' });
      else if ('error' in one) answers.set(id, outcomeOf(one.error));
      else {
        const upload: Upload = { ...one, endsAtMillis: sentAt + one.expiresInMs };
        if (isWanted) answers.set(id, upload);
        else spares.push({ ...upload, key: one.key ?? id });
      }
    }
    deps.spares(spares);
    const none: Outcome = {
      status: 'retryable',
      cause: NO_UPLOAD,
      retryAfterMillis: answer.retryAfterMillis,
    };
    for (const { want, answered } of asking) answered(answers.get(want.id) ?? none);
    if (answer.rules !== undefined) deps.rules(answer.rules);
    if (answer.isPaused) deps.pause();
  };

  const hear = (heard: Promise<boolean>, telling: Iterable<Told>): void => {
    hearing = heard.then((isHeard) => {
      hearing = undefined;
      if (isHeard) settled(telling);
      else failed++;
      next();
    });
  };

  const settled = (telling: Iterable<Told>): void => {
    for (const { receipt, told } of telling) {
      receipts.delete(receipt.id);
      told();
    }
  };

  const next = (): void => {
    timer?.();
    timer = undefined;
    if (closed || talking) return;
    if (wants.length || isAsked) begin();
    else if ((receipts.size && !hearing) || (failures && isOwing())) {
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
        wants.push({ want, answered });
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
      if (!unconfirmed.length && !isOwing()) return undefined;
      const telling = [...receipts.values()].map(({ receipt }) => receipt);
      const stored = [...unconfirmed, ...telling].slice(0, MAX_RECEIPTS);
      // Beside the bytes there may be room for little.
      const short = stored.map((receipt) => ({ ...receipt, traces: [] }));
      const lost = lostSince();
      if (!endpoint.beacon?.(message([], stored)) && !endpoint.beacon?.(message([], short)))
        return Object.keys(lost).length ? { id: `lost ${deps.page}`, lost } : undefined;
      totals.requests.beacons++;
      known = counted();
      return undefined;
    },
    async settle() {
      const before = failed;
      while (!closed && failed === before && (talking || isOwing())) {
        begin();
        await talking;
        await hearing;
      }
    },
    close() {
      closed = true;
      timer?.();
      for (const { answered } of wants) answered({ status: 'retryable', cause: 'closed' });
    },
  };
}

type Counts = { [name: string]: number };

/** By how much each has grown. */
function since(now: Counts, before: Counts): Counts {
  const grown = Object.entries(now).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, count]) => count > 0));
}

/** Of a want that was refused alone. */
function outcomeOf({ code }: { code: string }): Outcome {
  const cause = `endpoint: ${code}`;
  if (code === 'rate_limited') return { status: 'retryable', cause };
  return { status: 'rejected', reason: code === 'too_large' ? 'too-large' : 'rejected', cause };
}
