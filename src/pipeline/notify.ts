/** Tells the server what was stored, and asks it for more URLs: one request at a time. Stage 7 of 8. */
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { Platform, Stop } from '../platform/platform.js';
import type { ExchangeRequest, PageLedger, PresignedUpload, StoredReceipt } from '../protocol.js';
import type { Claim, Instant, PooledUpload } from './model.js';
import { createOwed, MAX_WEIGHT } from './notify-owed.js';

/** What is said and asked in one exchange. */
export type Message = Omit<ExchangeRequest, 'v' | 'client' | 'project' | 'sizes'> & { sizes: number[] };

/** What came back. `refused`: 401 or 403, asking again soon is no use; `malformed`: 400 or 413, never say that again. */
export type MessageAnswer = {
  /** Where the receipts went another way than the question: whether they were heard. Never rejects. */
  heard?: Promise<boolean> | undefined;
} & (
  | {
      ok: true;
      uploads: PresignedUpload[];
      confirmed: { token: string; stored: boolean }[];
      paused: boolean;
      /** Unchecked; undefined from an endpoint that knows of none. */
      rules?: unknown;
      /** The store takes no uploads: everything is to be relayed. */
      relay?: boolean;
    }
  | {
      ok: false;
      cause: string;
      retryAfterMillis?: number | undefined;
      refused?: boolean;
      malformed?: boolean;
    }
);

/** Whom it is said to: the endpoint, or the user's own functions. */
export interface Endpoint {
  /** Never rejects. */
  exchange(message: Message): Promise<MessageAnswer>;
  /** Says, without an answer. True when the browser has taken it. */
  tell?(message: Message): boolean;
  /** Whether it can be asked what became of unanswered requests. */
  readonly confirms: boolean;
  /** Where the bytes of a blob can be posted instead of the bucket. */
  relayUrl?(token: string | undefined, blobId: string): string;
}

export interface NotifierDeps {
  platform: Platform;
  diagnostics: Diagnostics;
  endpoint: Endpoint;
  /** The lengths that uploads are wanted for, now: one each. */
  wanted(): number[];
  /** Takes fresh uploads, asked for at `askedAt` with these lengths. */
  fresh(uploads: PresignedUpload[], askedAt: Instant, wanted: number[]): void;
  /** Takes a renewed upload, or hears that the endpoint does not know the claim's token. */
  renewed(claim: Claim, upload: PooledUpload | undefined): void;
  /** Hears what became of the unanswered request for a claim; false also when the endpoint will not say. */
  confirmed(claim: Claim, stored: boolean): void;
  /** This page's ledger at this moment. */
  ledger(): PageLedger;
  nextDelayMillis(failures: number, random: number, retryAfterMillis?: number): number;
  /** Keeps something for the next page, or forgets it when undefined. */
  remember(name: string, value: unknown): void;
  /** Something may have become possible. */
  wake(): void;
  pause(): void;
  /** The store takes no uploads. */
  relayOnly(): void;
  /** Takes the endpoint's sampling rules, unchecked. */
  rules(rules: unknown): void;
}

export interface Notifier {
  /** A blob was stored; its receipt rides on the next request, within 5 s. */
  stored(receipt: StoredReceipt): void;
  /** Takes what an earlier page kept: receipts by token, and spans lost, which it could not tell any more. */
  remembered(name: string, value: unknown): void;
  /** Asks for a new URL for a claim's key, and a body of `length` bytes. */
  renew(claim: Claim, length: number): void;
  /** Asks whether there is an object under a claim's key. */
  confirm(claim: Claim): void;
  /** Talks to the endpoint if there is something to say; else sets a timer for what may still wait. */
  talk(): void;
  /** The page leaves: says what is owed by beacon, with receipts of uploads whose answer will not be seen. */
  leave(unconfirmed: StoredReceipt[]): void;
  /** Resolves when nothing is owed or wanted any more, or the endpoint failed. */
  settle(): Promise<void>;
  close(): void;
}

/** A server that indexes traces as they are announced should not wait longer for one. */
const NOTIFY_MILLIS = 5_000;
const MAX_RENEWALS = 20;
/** Each costs the endpoint a question to the store. */
const MAX_CONFIRMS = 40;
/** An endpoint that leaves a token out this often does not know it. */
const MAX_ASKED = 3;
/** How soon an endpoint that refuses us is asked again. */
const REFUSED_MILLIS = 5 * 60_000;

export function createNotifier(deps: NotifierDeps): Notifier {
  const { platform, diagnostics, endpoint } = deps;
  const { totals } = diagnostics;
  const renewals = new Map<string, { claim: Claim; length: number }>();
  const confirms = new Map<string, { claim: Claim; asked: number }>();
  const owed = createOwed({ dropped: () => totals.spans.dropped, remember: deps.remember });
  let owedSinceMillis = 0;
  let hurried = false;
  let closed = false;
  let failures = 0;
  let notBeforeMillis = 0;
  /** The delay is the server's wish, not ours. */
  let isHeld = false;
  let inFlight: Promise<void> | undefined;
  /** Receipts on a way of their own, which holds up nothing else. */
  let telling: Promise<void> | undefined;
  let tellFailures = 0;
  let tellNotBeforeMillis = 0;
  let timer: Stop | undefined;

  const mayTell = (): boolean => !telling && platform.monotonic() >= tellNotBeforeMillis;

  const messageOf = (
    wanted: number[],
    renew: { claim: Claim; length: number }[],
    confirm: string[],
  ): Message => ({
    want: wanted.length,
    confirm,
    renew: renew.map(({ claim }) => claim.token),
    sizes: [...renew.map(({ length }) => length), ...wanted],
    ...owed.next(mayTell()),
    page: deps.ledger(),
  });

  const failed = (retryAfterMillis?: number): void => {
    failures++;
    isHeld = retryAfterMillis !== undefined;
    notBeforeMillis =
      platform.monotonic() + deps.nextDelayMillis(failures, platform.random(), retryAfterMillis);
  };

  /** @returns whether any was left out, and is worth asking for again. */
  const conclude = (asked: string[], confirmed: { token: string; stored: boolean }[]): boolean => {
    let isLeftOut = false;
    for (const token of asked) {
      const confirm = confirms.get(token);
      if (!confirm) continue;
      const answer = confirmed.find((one) => one.token === token);
      if (!answer && ++confirm.asked < MAX_ASKED) {
        isLeftOut = true;
        continue;
      }
      confirms.delete(token);
      deps.confirmed(confirm.claim, answer?.stored === true);
    }
    return isLeftOut;
  };

  const exchange = async (): Promise<void> => {
    const wanted = deps.wanted();
    const message = messageOf(
      wanted,
      [...renewals.values()].slice(0, MAX_RENEWALS),
      [...confirms.keys()].slice(0, MAX_CONFIRMS),
    );
    const askedAt = { wall: platform.now(), monotonic: platform.monotonic() };
    totals.requests.exchanges++;
    owed.underWay(message);
    const answer = await endpoint.exchange(message);
    if (closed) return;
    const { heard } = answer;
    if (heard) {
      telling = heard.then((isHeard) => {
        telling = undefined;
        if (closed) return;
        tellFailures = isHeard ? 0 : tellFailures + 1;
        if (isHeard) owed.settled(message);
        else {
          owed.back(message);
          tellNotBeforeMillis = platform.monotonic() + deps.nextDelayMillis(tellFailures, platform.random());
        }
        self.talk();
      });
    }
    if (!answer.ok) {
      totals.requests.exchangeFailures++;
      diagnostics.trouble('endpoint', answer.cause);
      if (answer.malformed) owed.settled(message);
      else if (!heard) owed.back(message);
      failed(answer.retryAfterMillis ?? (answer.refused ? REFUSED_MILLIS : undefined));
      return;
    }
    if (!heard) owed.settled(message);
    if (answer.relay) deps.relayOnly();
    const fresh = answer.uploads.filter((upload) => !renewals.has(upload.token));
    for (const token of message.renew) {
      const { claim } = renewals.get(token) as { claim: Claim };
      renewals.delete(token);
      const upload = answer.uploads.find((offered) => offered.token === token);
      // A relay takes the bytes under their key.
      if (upload || !answer.relay) deps.renewed(claim, upload && { ...upload, askedAt });
    }
    deps.fresh(fresh, askedAt, wanted);
    const isLeftOut = conclude(message.confirm, answer.confirmed);
    // An answer of too few uploads, or of expired ones, must not become a loop.
    if ((message.want && deps.wanted().length >= message.want) || isLeftOut) failed();
    else failures = 0;
    if (answer.rules !== undefined) deps.rules(answer.rules);
    if (answer.paused) deps.pause();
  };

  const hurry = (): void => {
    if (!isHeld) notBeforeMillis = 0;
    tellNotBeforeMillis = 0;
    self.talk();
  };
  const stopOnline = platform.onOnline(hurry);

  const self: Notifier = {
    stored(receipt) {
      if (!owed.receiptCount) owedSinceMillis = platform.monotonic();
      owed.add(receipt);
      self.talk();
    },
    remembered(name, value) {
      const receipt = owed.remembered(name, value);
      if (receipt) self.stored(receipt);
    },
    renew(claim, length) {
      renewals.set(claim.token, { claim, length });
      self.talk();
    },
    confirm(claim) {
      if (!confirms.has(claim.token)) confirms.set(claim.token, { claim, asked: 0 });
      self.talk();
    },
    talk() {
      timer?.();
      timer = undefined;
      if (closed || inFlight) return;
      const now = platform.monotonic();
      const urgent = deps.wanted().length || renewals.size || confirms.size;
      if (!urgent && (telling || !owed.receiptCount)) return;
      const tellMillis = hurried
        ? tellNotBeforeMillis
        : Math.max(owedSinceMillis + NOTIFY_MILLIS, tellNotBeforeMillis);
      const dueMillis = urgent ? 0 : tellMillis;
      const delay = Math.max(dueMillis, notBeforeMillis) - now;
      if (delay > 0) {
        timer = platform.after(delay, self.talk);
        return;
      }
      inFlight = exchange().then(() => {
        inFlight = undefined;
        owedSinceMillis = platform.monotonic();
        self.talk();
        diagnostics.guard(deps.wake);
      });
    },
    leave(unconfirmed) {
      const message = messageOf([], [], []);
      const stored = [...unconfirmed, ...message.stored].slice(0, MAX_WEIGHT);
      if (!stored.length && !Object.keys(message.lost).length) return;
      const tell = (receipts: StoredReceipt[]) => endpoint.tell?.({ ...message, stored: receipts });
      // Beside the bytes there may be room for little.
      if (tell(stored) || tell(stored.map((receipt) => ({ ...receipt, traces: [] })))) {
        totals.requests.beacons++;
        owed.underWay(message);
        owed.settled(message);
      } else owed.settled({ ...message, stored: [] });
    },
    async settle() {
      const failed = (): number => failures + tellFailures;
      const before = failed();
      hurried = true;
      do {
        hurry();
        await inFlight;
        await telling;
      } while (inFlight && failed() === before);
      hurried = false;
    },
    close() {
      closed = true;
      timer?.();
      stopOnline();
    },
  };
  return self;
}
