/** Takes planned requests to the endpoint, and finds out which object is to blame when it will not have one. */
import type { Signal } from '../object-key.js';
import type { SeenSpans } from './dedupe.js';
import { type Evidence, renew } from './evidence.js';
import { gzip } from './gzip.js';
import { halve, halveByObject, type PlannedRequest } from './merge.js';
import type { OtlpSender, Sent } from './otlp-sender.js';
import { EMPTY_REQUEST_BYTES, type ObjectState, requestText, type SpanPiece } from './pieces.js';

export interface DeliveryDeps {
  signal: Signal;
  sender: OtlpSender;
  seen: SeenSpans;
  concurrency: number;
  /** What is known of the endpoint from batch to batch. */
  evidence: Evidence;
  abort: AbortSignal | undefined;
}

/** Why nothing more is to be sent. */
export interface Stop {
  message: string;
  retryAfterMillis?: number;
  /** It refused several objects alone and took none, but an empty request: others may show who is to blame. */
  isUndecided?: true;
}

/** The requests of one batch. */
export interface Delivery {
  /** Marks pieces as delivered, and gives a verdict on objects that the endpoint will not have. Never rejects. */
  deliver(requests: PlannedRequest[]): Promise<void>;
  /** Judges what is left. */
  end(): Promise<void>;
  readonly stop: Stop | undefined;
  readonly requestCount: number;
  readonly byteCount: number;
}

/** An object that was refused alone, and for which nothing speaks against the endpoint, or for it. */
interface Suspect {
  owner: ObjectState;
  message: string;
  status: 'refused' | 'failed';
}

/** So many refused alone, and nothing taken: would it take anything? */
const FEW_SUSPECTS = 3;
/** So many, in several parts of the batch. */
const MAX_SUSPECTS = 8;

export function createDelivery({
  signal,
  sender,
  seen,
  concurrency,
  evidence,
  abort,
}: DeliveryDeps): Delivery {
  let stop: Stop | undefined;
  let acceptedHere = false;
  let hasTakenEmpty = false;
  let suspects: Suspect[] = [];
  /** The smallest JSON that was too large. */
  let tooLargeBytes = Number.POSITIVE_INFINITY;
  const counts = { requestCount: 0, byteCount: 0 };
  let queue: PlannedRequest[] = [];
  /** Next comes a part that lies far from what was refused. */
  let looksElsewhere = false;
  /** Such a part is looked at from its end. */
  let isElsewhere = false;

  const post = (bytes: Uint8Array<ArrayBuffer>): Promise<Sent> =>
    sender.send(bytes, abort, () => {
      counts.requestCount++;
      counts.byteCount += bytes.length;
    });

  const divide = ([pieces, others]: [SpanPiece[], SpanPiece[]]): void => {
    const halves = [{ pieces }, { pieces: others }];
    queue.unshift(...(isElsewhere ? halves.reverse() : halves));
  };

  const suspect = ([piece]: SpanPiece[], status: Suspect['status'], message: string): Promise<void> => {
    if (piece) suspects.push({ owner: piece.owner, message, status });
    return judge();
  };

  /** By what the endpoint has taken. */
  const isToBlame = ({ status, owner }: Suspect): boolean => {
    if (status === 'failed') return acceptedHere;
    if (evidence.outlived.delete(owner.object.key)) return true;
    if (evidence.credit <= 0) return false;
    evidence.credit -= 1;
    return true;
  };

  const judge = async (): Promise<void> => {
    const left: Suspect[] = [];
    for (const accused of suspects) {
      if (isToBlame(accused)) blame(accused);
      else left.push(accused);
    }
    suspects = left;
    if (left.length === 0) isElsewhere = false;
    looksElsewhere = left.length > 0 && left.length % 2 === 0;
    if (left.length < FEW_SUSPECTS || stop) return;
    const [first] = left;
    const message = first?.message ?? '';
    const isRefused = left.some(({ status }) => status === 'refused');
    if (isRefused && !(await takesEmpty(message))) return;
    // Perhaps it is not the objects: others will show.
    if (left.length >= MAX_SUSPECTS) stop ??= isRefused ? { message, isUndecided: true } : { message };
  };

  const blame = ({ owner, message }: Suspect): void => {
    owner.verdict ??= { status: 'quarantine', reason: 'refused', message };
  };

  /** An empty request is one that every endpoint must take, if it takes any. Else nothing more is sent. */
  const takesEmpty = async (message: string): Promise<boolean> => {
    if (hasTakenEmpty) return true;
    const sent = await post(await gzip(requestText(signal, [])));
    hasTakenEmpty = sent.status === 'accepted';
    if (hasTakenEmpty) return true;
    const words = `${message}; an empty request gets ${sent.message ?? 'no better answer'}`;
    stop ??= sent.status === 'unavailable' ? sent : { message: words };
    return false;
  };

  const accept = (pieces: SpanPiece[], rejectedCount: number, message: string | undefined): void => {
    acceptedHere = true;
    renew(evidence);
    for (const piece of pieces) {
      piece.delivered = true;
      seen.add(piece);
      evidence.outlived.delete(piece.owner.object.key);
    }
    apportion(pieces, rejectedCount, message);
  };

  const one = async ({ pieces: planned, stored }: PlannedRequest): Promise<void> => {
    const pieces = planned.filter(({ owner }) => !owner.verdict);
    if (!pieces.length) return;
    const text = stored ? '' : requestText(signal, pieces);
    const jsonBytes = stored ? sizeOf(pieces) : text.length;
    if (jsonBytes >= tooLargeBytes) {
      const halves = halve(pieces);
      if (halves) return divide(halves);
    }
    const sent = asRefusal(await post(stored ?? (await gzip(text))), pieces.length);
    switch (sent.status) {
      case 'accepted':
        accept(pieces, sent.rejectedCount, sent.message);
        return judge();
      case 'unavailable':
        stop ??= sent;
        return;
      case 'too-large': {
        tooLargeBytes = Math.min(tooLargeBytes, jsonBytes);
        const halves = halve(pieces);
        if (halves) return divide(halves);
        return suspect(pieces, 'refused', `${sent.message}, for a single span`);
      }
      default: {
        const halves = halveByObject(pieces);
        if (!halves) return suspect(pieces, sent.status, sent.message);
        divide(halves);
      }
    }
  };

  const work = async (): Promise<void> => {
    for (let next = take(); next && !stop; next = take()) await one(next);
  };

  /** The rest of what was refused; now and then the largest other part, while nothing has been taken. */
  const take = (): PlannedRequest | undefined => {
    if (!looksElsewhere) return queue.shift();
    looksElsewhere = false;
    isElsewhere = true;
    return queue.pop();
  };

  return {
    async deliver(requests) {
      queue = [...requests];
      await Promise.all(Array.from({ length: concurrency }, work));
      queue = [];
    },
    async end() {
      await judge();
      const [first] = suspects;
      if (!first || stop) return;
      const refused = suspects.filter(({ status }) => status === 'refused');
      if (refused.length > 0 && (await takesEmpty(first.message))) {
        if (refused.length <= evidence.emptyCredit) {
          evidence.emptyCredit -= refused.length;
          refused.forEach(blame);
        } else stop ??= { message: first.message, isUndecided: true };
      }
      if (stop) return;
      for (const { owner, message } of suspects) owner.verdict ??= { status: 'retry', message };
    },
    get stop() {
      return stop;
    },
    get requestCount() {
      return counts.requestCount;
    },
    get byteCount() {
      return counts.byteCount;
    },
  };
}

/** A partial success of which nothing was a success: it can be divided, since none of it comes twice. */
function asRefusal(sent: Sent, spanCount: number): Sent {
  if (sent.status !== 'accepted' || sent.rejectedCount < spanCount) return sent;
  return { status: 'refused', message: `all spans were rejected${sent.message ? `: ${sent.message}` : ''}` };
}

const sizeOf = (pieces: readonly SpanPiece[]): number =>
  pieces.reduce((sum, { byteCount }) => sum + byteCount, EMPTY_REQUEST_BYTES);

/** Which spans were rejected nobody says; each object gets its share, and the shares make the whole. */
function apportion(pieces: readonly SpanPiece[], rejectedCount: number, message: string | undefined): void {
  const sent = new Map<ObjectState, number>();
  for (const { owner } of pieces) sent.set(owner, (sent.get(owner) ?? 0) + 1);
  let spansLeft = pieces.length;
  let rejectedLeft = Math.min(rejectedCount, spansLeft);
  for (const [owner, spanCount] of sent) {
    const share = Math.round((rejectedLeft * spanCount) / spansLeft);
    owner.rejectedCount += share;
    if (message !== undefined && (share > 0 || rejectedCount === 0)) owner.remark = message;
    rejectedLeft -= share;
    spansLeft -= spanCount;
  }
}
