import type { PageLedger, StoredReceipt } from '../protocol.js';
import { within } from './deadline.js';
import type { IngestContext, IngestOptions } from './ingest-options.js';
import type { IngestLogEntry } from './log.js';
import { Refusal } from './refusal.js';
import { isStorageError } from './storage.js';

type HookName = 'onStored' | 'onPage' | 'onLost' | 'onError' | 'onLog' | 'rateLimit' | 'config' | 'waitUntil';

/** The operator's functions, and how long an answer waits for one. */
export interface Hooks extends Pick<IngestOptions, HookName> {
  timeoutMillis: number;
}

/** Longest wait that we ask of a client. */
const MAX_RETRY_AFTER_SECONDS = 86_400;

/** Hands an exception to the operator. Never throws. */
export function reportError(error: unknown, hooks: Pick<Hooks, 'onError'>): void {
  // An async hook may fail later than it returns.
  quietly(async () => hooks.onError?.(error));
}

/** What is answered where something was thrown. What is no refusal of ours the operator hears of. */
export function refusalOf(error: unknown, hooks: Hooks): Refusal {
  if (error instanceof Refusal) return error;
  reportError(error, hooks);
  return isStorageError(error)
    ? new Refusal('storage_failed', 'the object store refused or did not answer')
    : new Refusal('internal', 'something went wrong here');
}

/** Hands the account of a request to the operator. Never throws. */
export function log(entry: IngestLogEntry, hooks: Hooks): void {
  quietly(async () => {
    try {
      await hooks.onLog?.(entry);
    } catch (error) {
      reportError(error, hooks);
    }
  });
}

/** @throws {Refusal} `rate_limited`, when the operator's hook says so. */
export async function checkRate(request: Request, context: IngestContext, hooks: Hooks): Promise<void> {
  const { rateLimit } = hooks;
  if (!rateLimit) return;
  const answer = (await within(hooks.timeoutMillis, 'rateLimit', () => rateLimit(request, context))) ?? true;
  if (answer !== true) throw rateLimited('too many requests', answer.retryAfterSeconds);
}

/** @param seconds anything; what goes out is a whole number from 1 to a day. */
export function rateLimited(message: string, seconds: number): Refusal {
  return new Refusal('rate_limited', message, { 'retry-after': retryAfter(seconds) });
}

export function retryAfter(seconds: number): string {
  const whole = Math.ceil(Number(seconds)) || 1;
  return String(Math.min(Math.max(whole, 1), MAX_RETRY_AFTER_SECONDS));
}

/**
 * Tells the operator of genuine receipts. Never rejects; resolves at once where `waitUntil` takes over.
 *
 * @returns false when the hook has not taken them, as far as that was waited for.
 */
export async function tellStored(
  receipts: StoredReceipt[],
  context: IngestContext,
  hooks: Hooks,
): Promise<boolean> {
  if (receipts.length === 0) return true;
  return inBackground(hooks, () => attempt('onStored', () => hooks.onStored?.(receipts, context), hooks));
}

/** Tells the operator what a client said of itself, which is hearsay. Never rejects; see {@link tellStored}. */
export async function tell(
  { page, lost }: { page?: PageLedger; lost: Record<string, number> },
  context: IngestContext,
  hooks: Hooks,
): Promise<void> {
  await inBackground(hooks, () =>
    Promise.all([
      page !== undefined && attempt('onPage', () => hooks.onPage?.(page, context), hooks),
      Object.keys(lost).length > 0 && attempt('onLost', () => hooks.onLost?.(lost, context), hooks),
    ]),
  );
}

/** Waits for `task`, unless the operator's `waitUntil` takes it over: then the answer is true. */
async function inBackground<T>(hooks: Hooks, task: () => Promise<T>): Promise<T | true> {
  const { waitUntil } = hooks;
  if (!waitUntil) return task();
  await attempt('waitUntil', () => waitUntil(task()), hooks);
  return true;
}

/** @returns whether the hook neither failed nor took too long. */
async function attempt(what: HookName, hook: () => unknown, hooks: Hooks): Promise<boolean> {
  try {
    // The platform has a bound of its own for what `waitUntil` takes over.
    await (hooks.waitUntil ? hook() : within(hooks.timeoutMillis, what, hook));
    return true;
  } catch (error) {
    reportError(error, hooks);
    return false;
  }
}

function quietly(task: () => Promise<unknown>): void {
  task().catch(() => undefined);
}
