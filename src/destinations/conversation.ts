/**
 * Everything that is said to the endpoint, in as few requests as can be: one at a time, each carrying receipts,
 * renewals, questions and losses together, and bringing back uploads.
 */
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { Notifier } from '../pipeline/notify.js';
import { nextDelayMillis, RETRY_CAP_MILLIS } from '../pipeline/retry.js';
import type { PooledUpload, UploadUrlPool } from '../pipeline/upload-url-pool.js';
import type { Platform, Stop } from '../platform/platform.js';
import type { StoredReceipt } from '../protocol.js';
import type { Answer, Endpoint, Message } from './endpoint.js';

export interface Conversation {
  /** Sees to it that the pool is filled. Always false, for the caller's "not yet". */
  refill(): false;
  /** Asks for a new URL for the token's key. Always false. */
  renew(token: string): false;
  /** Hands out the renewed upload once; null when the endpoint does not know the token; undefined while unknown. */
  renewed(token: string): PooledUpload | null | undefined;
  /** Asks whether there is an object under the token's key. Always false. */
  confirm(token: string): false;
  /** What the endpoint said to that; undefined while unknown. */
  confirmed(token: string): boolean | undefined;
  /** The page leaves: says what is owed by beacon, with receipts of uploads whose answer will not be seen. */
  tell(unconfirmed: StoredReceipt[]): void;
  /** Resolves when nothing is owed, or the endpoint failed. */
  settle(): Promise<void>;
  close(): void;
}

export interface ConversationDeps {
  platform: Platform;
  diagnostics: Diagnostics;
  endpoint: Endpoint;
  pool: UploadUrlPool;
  notifier: Notifier;
  wake(): void;
  pause(): void;
}

/** The endpoint's limits for one request. */
const MAX_CONFIRMS = 100;
const MAX_RENEWALS = 20;

export function createConversation(deps: ConversationDeps): Conversation {
  const { platform, diagnostics, endpoint, pool, notifier } = deps;
  const { totals } = diagnostics;
  const renewals = new Set<string>();
  const renewed = new Map<string, PooledUpload | null>();
  const questions = new Set<string>();
  const answers = new Map<string, boolean>();
  const toldLost: Record<string, number> = {};
  let demand = false;
  let hurry = false;
  let closed = false;
  let failures = 0;
  let notBeforeMillis = 0;
  let inFlight: Promise<void> | undefined;
  let timer: Stop | undefined;

  const lost = (): Record<string, number> => {
    const news: Record<string, number> = {};
    for (const [reason, count] of Object.entries(totals.spans.dropped)) {
      const more = count - (toldLost[reason] ?? 0);
      if (more) news[reason] = more;
    }
    return news;
  };
  const lostWasTold = (news: Record<string, number>): void => {
    for (const [reason, count] of Object.entries(news)) toldLost[reason] = (toldLost[reason] ?? 0) + count;
  };

  const failed = (retryAfterMillis: number | undefined): void => {
    failures++;
    notBeforeMillis = platform.monotonic() + nextDelayMillis(failures, platform.random(), retryAfterMillis);
  };

  const hear = (asked: Message, answer: Answer, askedAt: PooledUpload['askedAt']): void => {
    notifier.settle(answer.status === 'answered');
    if (answer.status === 'failed') {
      totals.requests.exchangeFailures++;
      diagnostics.trouble('endpoint', `the endpoint failed: ${answer.cause}`);
      failed(answer.retryAfterMillis ?? (answer.refused ? RETRY_CAP_MILLIS : undefined));
      return;
    }
    lostWasTold(asked.lost);
    if (answer.ignored)
      diagnostics.trouble('bad-upload', `${answer.ignored} unusable uploads from the endpoint`);
    for (const token of asked.renew) {
      const upload = answer.uploads.find((offered) => offered.token === token);
      renewals.delete(token);
      renewed.set(token, upload ? { ...upload, askedAt } : null);
    }
    for (const token of asked.confirm) {
      questions.delete(token);
      // An unanswered question means an unknown token; sending again is safe, the key is the same.
      answers.set(token, answer.confirmed.get(token) ?? false);
    }
    const fresh = answer.uploads.filter((upload) => !asked.renew.includes(upload.token));
    pool.add(fresh, askedAt);
    if (asked.want && !fresh.length) failed(undefined);
    else failures = 0;
    if (answer.paused) deps.pause();
  };

  const exchange = async (): Promise<void> => {
    const message: Message = {
      want: demand ? pool.wanted : 0,
      stored: notifier.take(),
      confirm: [...questions].slice(0, MAX_CONFIRMS),
      renew: [...renewals].slice(0, MAX_RENEWALS),
      lost: lost(),
    };
    const askedAt = { wall: platform.now(), monotonic: platform.monotonic() };
    totals.requests.exchanges++;
    const answer = await endpoint.exchange(message);
    if (!closed) hear(message, answer, askedAt);
  };

  const talk = (): false => {
    if (closed || inFlight) return false;
    timer?.();
    timer = undefined;
    const urgent = (demand && pool.wanted) || renewals.size || questions.size || (hurry && notifier.size);
    const backoff = Math.max(0, notBeforeMillis - platform.monotonic());
    const delay = urgent ? backoff : Math.max(backoff, notifier.dueInMillis);
    if (delay === 0) {
      inFlight = exchange().finally(() => {
        inFlight = undefined;
        talk();
        diagnostics.guard(deps.wake);
      });
    } else if (delay !== Number.POSITIVE_INFINITY) {
      timer = platform.after(delay, talk);
    }
    return false;
  };

  const stopOnline = platform.onOnline(() => {
    notBeforeMillis = 0;
    talk();
  });

  return {
    refill() {
      demand = true;
      return talk();
    },
    renew(token) {
      renewals.add(token);
      return talk();
    },
    renewed(token) {
      const upload = renewed.get(token);
      renewed.delete(token);
      return upload;
    },
    confirm(token) {
      questions.add(token);
      return talk();
    },
    confirmed: (token) => answers.get(token),
    tell(unconfirmed) {
      const stored = [...notifier.take(), ...unconfirmed];
      const news = lost();
      const told =
        (stored.length > 0 || Object.keys(news).length > 0) &&
        endpoint.tell?.({
          want: 0,
          stored,
          confirm: [],
          renew: [],
          lost: news,
        });
      notifier.settle(told === true);
      if (!told) return;
      totals.requests.beacons++;
      lostWasTold(news);
    },
    async settle() {
      hurry = true;
      const before = failures;
      while (!closed && failures === before && (inFlight || notifier.size)) {
        talk();
        if (!inFlight) break;
        await inFlight;
      }
      hurry = false;
    },
    close() {
      closed = true;
      timer?.();
      stopOnline();
    },
  };
}
