/** What follows when it is known what became of a blob for good. */
import type { OpenDestination } from '../destinations/destination.js';
import type { Diagnostics } from '../diagnostics/diagnostics.js';
import type { DropReason, Outcome, TraceBlob } from './model.js';

export interface SettleHost {
  diagnostics: Diagnostics;
  destination: Pick<OpenDestination, 'receiptOf' | 'tell'>;
  outbox: { remove(blob: TraceBlob, reason?: DropReason, receipt?: unknown): void };
}

/** What there is no more to be done about. */
type Final = Exclude<Outcome, { status: 'retryable' }>;

/** Books an outcome that is final, in the ledger and in the outbox. False where the blob is to be tried again. */
export function settle(host: SettleHost, blob: TraceBlob, outcome: Outcome): outcome is Final {
  const { diagnostics, destination, outbox } = host;
  const { totals } = diagnostics;
  if (outcome.status === 'rejected') {
    outbox.remove(blob, outcome.reason);
    diagnostics.trouble(outcome.reason, outcome.cause);
    return true;
  }
  // A foreign destination may answer anything.
  if (outcome.status !== 'stored') return false;
  const receipt = destination.receiptOf?.(blob);
  const { spanCount: said = 0, cause = '' } = outcome.rejected ?? {};
  // It rejects no more than it was given.
  const spanCount = Math.max(0, Math.min(blob.spanCount, Math.trunc(said))) || 0;
  totals.spans.stored += blob.spanCount - spanCount;
  totals.blobs.stored++;
  totals.bytes.stored += blob.bytes?.length ?? 0;
  diagnostics.dropped('rejected', spanCount);
  if (spanCount) diagnostics.trouble('rejected', cause);
  diagnostics.settled(blob.traces.values());
  outbox.remove(blob, undefined, receipt);
  if (receipt) destination.tell?.(receipt, () => outbox.remove(blob));
  return true;
}
