/**
 * The one POST: asks for uploads by id and length, tells what was stored and lost, hears of the clock, the kill switch
 * and the sampling rules. Whoever asks awaits the answer; what is to be told goes along, or by itself after a while.
 */

import { toJson } from '../json.js';
import type { Outcome, Upload } from '../pipeline/model.js';
import { nextDelayMillis } from '../pipeline/retry.js';
import type { Stop } from '../platform/platform.js';
import type { LossReport, Receipt, Want } from './endpoint.js';
import type { Exchange } from './exchange.js';
import { type Leaving, MAX_RECEIPTS, type Told } from './leaving.js';

export interface TellDeps {
  exchange: Exchange;
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
  want(want: Want): Promise<Answer>;
  /** Takes a {@link Receipt} or a {@link LossReport}; `told` is called when the server has taken it. */
  tell(receipt: unknown, told: () => void): void;
  /** Asks for nothing, to hear the operator's word. */
  ask(): void;
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

/** The endpoint takes 64 KiB, and a character may be three bytes. A receipt alone is shorter. */
const MAX_CHARS = 20_000;

/** As many as one message takes; the rest goes in the next. */
function fitting(all: Iterable<Told>): Told[] {
  const some: Told[] = [];
  let chars = 0;
  for (const one of all) {
    chars += toJson(one.receipt).length;
    if (some.length && (chars > MAX_CHARS || some.length === MAX_RECEIPTS)) break;
    some.push(one);
  }
  return some;
}

export function createTell(leaving: Leaving, deps: TellDeps): Tell {
  const { receipts, isOwing } = leaving;
  const { platform, diagnostics, clockOffset, rules, pause } = leaving.deps;
  const { totals } = diagnostics;
  const wants: { want: Want; answered: (answer: Answer) => void }[] = [];
  let talking: Promise<void> | undefined;
  let isAsked = false;
  let failures = 0;
  /** Failures ever, of those that hear receipts by themselves too. */
  let failed = 0;
  /** Receipts are being heard by themselves. */
  let hearing: Promise<void> | undefined;
  let timer: Stop | undefined;
  let closed = false;

  const exchange = async (): Promise<void> => {
    isAsked = false;
    const asking = wants.splice(0, MAX_WANTS);
    const telling = hearing ? [] : fitting(receipts.values());
    const before = leaving.known;
    const message = leaving.message(
      asking.map(({ want }) => want),
      telling.map(({ receipt }) => receipt),
    );
    leaving.known = leaving.counted();
    totals.requests.exchanges++;
    const sentAt = platform.monotonic();
    const answer = await deps.exchange(message);
    const refuse = (cause: string, retryAfterMillis?: number): void => {
      for (const { answered } of asking) answered({ status: 'retryable', cause, retryAfterMillis });
    };
    if (closed) return refuse('closed');
    if (answer.heard) hear(answer.heard, telling);
    if (!answer.ok) {
      failures++;
      failed++;
      leaving.known = before;
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
      clockOffset(answer.now + halfway - platform.now());
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
    if (answer.rules !== undefined) rules(answer.rules);
    if (answer.isPaused) pause();
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
    want(want) {
      return new Promise((answered) => {
        wants.push({ want, answered });
        // What is packed in the same moment is asked for together.
        void Promise.resolve().then(next);
      });
    },
    tell(given, told) {
      const receipt = given as Receipt | LossReport;
      receipts.set(receipt.id, { receipt, told });
      if (!timer) next();
    },
    ask() {
      isAsked = true;
      next();
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

/** Of a want that was refused alone. */
function outcomeOf({ code }: { code: string }): Outcome {
  const cause = `endpoint: ${code}`;
  if (code === 'rate_limited') return { status: 'retryable', cause };
  return { status: 'rejected', reason: code === 'too_large' ? 'too-large' : 'rejected', cause };
}
