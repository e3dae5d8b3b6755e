/** Takes planned requests to the endpoint, and finds out which object is to blame when it will not have one. */
import type { SeenSpans } from './dedupe.js';
import { gzip } from './gzip.js';
import { halve, halveByObject, type PlannedRequest } from './merge.js';
import type { OtlpSender, Sent } from './otlp-sender.js';
import { EMPTY_REQUEST_BYTES, type ObjectState, requestText, type SpanPiece } from './pieces.js';

export interface DeliveryDeps {
  sender: OtlpSender;
  seen: SeenSpans;
  concurrency: number;
  /** What is known of the endpoint from batch to batch. */
  evidence: { accepted: boolean };
  signal: AbortSignal | undefined;
}

/** The requests of one batch. */
export interface Delivery {
  /** Marks pieces as delivered, and gives a verdict on objects that the endpoint will not have. Never rejects. */
  deliver(requests: PlannedRequest[]): Promise<void>;
  /** Judges what is left. */
  end(): Promise<void>;
  /** Why nothing more is to be sent, once that is so. */
  readonly stop: { message: string; retryAfterMillis?: number } | undefined;
  readonly requestCount: number;
  readonly byteCount: number;
}

/** An object that was refused alone, before the endpoint had taken anything else. */
interface Suspect {
  owner: ObjectState;
  message: string;
  status: 'refused' | 'failed';
}

/** Enough to find nine bad ones among a hundred; the rest comes again. */
const MAX_DIVISIONS = 64;
/** So many refused alone, and nothing taken: perhaps it is not the objects. */
const MAX_SUSPECTS = 3;

export function createDelivery({ sender, seen, concurrency, evidence, signal }: DeliveryDeps): Delivery {
  let stop: Delivery['stop'];
  let acceptedHere = false;
  let suspects: Suspect[] = [];
  let divisions = 0;
  /** The smallest JSON that was too large. */
  let tooLargeBytes = Number.POSITIVE_INFINITY;
  const counts = { requestCount: 0, byteCount: 0 };
  let queue: PlannedRequest[] = [];

  const post = (bytes: Uint8Array<ArrayBuffer>): Promise<Sent> =>
    sender.send(bytes, signal, () => {
      counts.requestCount++;
      counts.byteCount += bytes.length;
    });

  const divide = ([pieces, others]: [SpanPiece[], SpanPiece[]]): void => {
    queue.unshift({ pieces }, { pieces: others });
  };

  const suspect = async ([piece]: SpanPiece[], status: Suspect['status'], message: string): Promise<void> => {
    if (piece) suspects.push({ owner: piece.owner, message, status });
    if (evidence.accepted || suspects.length >= MAX_SUSPECTS) await judge();
  };

  const judge = async (): Promise<void> => {
    if (!suspects.length || stop) return;
    const [first] = suspects;
    // An empty request is one that every endpoint must take, if it takes any.
    if (!evidence.accepted && suspects.some(({ status }) => status === 'refused')) {
      const sent = await post(await gzip(requestText([])));
      if (sent.status === 'accepted') evidence.accepted = true;
      else {
        const message = `${first?.message}; an empty request gets ${sent.message ?? 'no better answer'}`;
        stop = sent.status === 'unavailable' ? sent : { message };
        return;
      }
    }
    const left: Suspect[] = [];
    for (const accused of suspects) {
      const isToBlame = accused.status === 'refused' ? evidence.accepted : acceptedHere;
      if (isToBlame)
        accused.owner.verdict ??= { status: 'quarantine', reason: 'refused', message: accused.message };
      else left.push(accused);
    }
    suspects = left;
    if (suspects.length >= MAX_SUSPECTS && first) stop = { message: first.message };
  };

  const accept = (pieces: SpanPiece[], rejectedCount: number, message: string | undefined): void => {
    acceptedHere = true;
    evidence.accepted = true;
    for (const piece of pieces) {
      piece.delivered = true;
      seen.add(piece);
    }
    apportion(pieces, rejectedCount, message);
  };

  const one = async ({ pieces: planned, stored }: PlannedRequest): Promise<void> => {
    const pieces = planned.filter(({ owner }) => !owner.verdict);
    if (!pieces.length) return;
    const text = stored ? '' : requestText(pieces);
    const jsonBytes = stored ? sizeOf(pieces) : text.length;
    if (jsonBytes >= tooLargeBytes) {
      const halves = halve(pieces);
      if (halves) return divide(halves);
    }
    const sent = await post(stored ?? (await gzip(text)));
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
        if (++divisions <= MAX_DIVISIONS) divide(halves);
      }
    }
  };

  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next && !stop; next = queue.shift()) await one(next);
  };

  return {
    async deliver(requests) {
      queue = [...requests];
      await Promise.all(Array.from({ length: concurrency }, work));
      queue = [];
    },
    async end() {
      await judge();
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
