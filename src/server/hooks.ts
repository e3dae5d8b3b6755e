import type { PageLedger, StoredReceipt } from '../protocol.js';
import type { IngestContext, IngestOptions } from './ingest-options.js';
import { Refusal } from './refusal.js';

type Hooks = Pick<IngestOptions, 'onStored' | 'onPage' | 'onLost' | 'onError' | 'rateLimit' | 'waitUntil'>;

/** Longest wait that we ask of a client. */
const MAX_RETRY_AFTER_SECONDS = 86_400;

/** Hands an exception to the operator. Never throws. */
export function reportError(error: unknown, hooks: Hooks): void {
  // An async hook may fail later than it returns.
  quietly(async () => hooks.onError?.(error));
}

/** @throws {Refusal} `rate_limited`, when the operator's hook says so. */
export async function checkRate(request: Request, context: IngestContext, hooks: Hooks): Promise<void> {
  const answer = (await hooks.rateLimit?.(request, context)) ?? true;
  if (answer === true) return;
  const seconds = Math.ceil(Number(answer.retryAfterSeconds)) || 1;
  const retryAfter = String(Math.min(Math.max(seconds, 1), MAX_RETRY_AFTER_SECONDS));
  throw new Refusal('rate_limited', 'too many requests', { 'retry-after': retryAfter });
}

/** What a client said of its objects and spans. Receipts are genuine; the rest is hearsay. */
export interface Said {
  receipts: StoredReceipt[];
  page: PageLedger | undefined;
  lost: Record<string, number>;
}

/** Tells the operator what a client said. Never rejects; resolves at once where `waitUntil` takes over. */
export async function tell(
  { receipts, page, lost }: Said,
  context: IngestContext,
  hooks: Hooks,
): Promise<void> {
  const attempt = async (hook: () => unknown): Promise<void> => {
    try {
      await hook();
    } catch (error) {
      reportError(error, hooks);
    }
  };
  const told = Promise.all([
    receipts.length > 0 && attempt(() => hooks.onStored?.(receipts, context)),
    page !== undefined && attempt(() => hooks.onPage?.(page, context)),
    Object.keys(lost).length > 0 && attempt(() => hooks.onLost?.(lost, context)),
  ]);
  const { waitUntil } = hooks;
  if (waitUntil) await attempt(() => waitUntil(told));
  else await told;
}

function quietly(task: () => Promise<unknown>): void {
  task().catch(() => undefined);
}
