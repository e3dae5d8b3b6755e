/** Takes parts to the endpoint, and finds out which object is to blame when it will not have one. */
import type { Signal } from '../object-key.js';
import { gzip } from '../wire/gzip.js';
import { type Evidence, renew } from './evidence.js';
import type { OtlpSender, Sent } from './otlp-sender.js';
import {
  halvesOf,
  type ObjectState,
  type Part,
  type RequestLimits,
  requestOf,
  requestsOf,
  sizeOf,
} from './parts.js';

export interface DeliveryDeps {
  signal: Signal;
  sender: OtlpSender;
  limits: RequestLimits & { concurrency: number };
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
  /** Sends parts, several in one request, and gives a verdict on objects that the endpoint will not have. Never rejects. */
  deliver(parts: readonly Part[]): Promise<void>;
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

export function createDelivery({ signal, sender, limits, evidence, abort }: DeliveryDeps): Delivery {
  const self = { stop: undefined as Stop | undefined, requestCount: 0, byteCount: 0 };
  let hasTaken = false;
  let hasTakenEmpty = false;
  let suspects: Suspect[] = [];
  /** The smallest JSON that was too large. */
  let tooLargeBytes = Number.POSITIVE_INFINITY;
  let queue: Part[][] = [];
  /** Next comes a request that lies far from what was refused; such a one is looked at from its end. */
  let looksElsewhere = false;
  let isElsewhere = false;

  const post = (bytes: Uint8Array<ArrayBuffer>): Promise<Sent> =>
    sender.send(bytes, abort, () => {
      self.requestCount++;
      self.byteCount += bytes.length;
    });

  const divide = (requests: Part[][]): void => {
    queue.unshift(...(isElsewhere ? requests.reverse() : requests));
  };

  const suspect = ([part]: Part[], status: Suspect['status'], message: string): Promise<void> => {
    if (part) suspects.push({ owner: part.owner, message, status });
    return judge();
  };

  /** By what the endpoint has taken. */
  const isToBlame = ({ status, owner }: Suspect): boolean => {
    if (status === 'failed') return hasTaken;
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
    const [first] = left;
    if (!first) isElsewhere = false;
    looksElsewhere = left.length > 0 && left.length % 2 === 0;
    if (!first || left.length < FEW_SUSPECTS || self.stop) return;
    const { message } = first;
    const isRefused = left.some(({ status }) => status === 'refused');
    if (isRefused && !(await takesEmpty(message))) return;
    // Perhaps it is not the objects: others will show.
    if (left.length >= MAX_SUSPECTS) self.stop ??= { message, ...(isRefused && { isUndecided: true }) };
  };

  const blame = ({ owner, message }: Suspect): void => {
    owner.verdict ??= { status: 'quarantine', reason: 'refused', message };
  };

  /** An empty request is one that every endpoint must take, if it takes any. Else nothing more is sent. */
  const takesEmpty = async (message: string): Promise<boolean> => {
    if (hasTakenEmpty) return true;
    const sent = await post(await gzip(requestOf(signal, [])));
    hasTakenEmpty = sent.status === 'accepted';
    if (hasTakenEmpty) return true;
    const words = `${message}; an empty request gets ${sent.message ?? 'no better answer'}`;
    self.stop ??= sent.status === 'unavailable' ? sent : { message: words };
    return false;
  };

  const accept = (parts: Part[], rejectedCount: number, message: string | undefined): Promise<void> => {
    hasTaken = true;
    renew(evidence);
    for (const { owner } of parts) {
      owner.unsent = (owner.unsent ?? 1) - 1;
      evidence.outlived.delete(owner.object.key);
    }
    apportion(parts, rejectedCount, message);
    return judge();
  };

  /** Into two requests: between its parts, or of one part into two. False where it cannot be. */
  const halve = (parts: Part[]): boolean => {
    const [only] = parts;
    const middle = Math.ceil(parts.length / 2);
    if (parts.length > 1) divide([parts.slice(0, middle), parts.slice(middle)]);
    const halves = parts.length === 1 && only ? halvesOf(only) : undefined;
    if (halves && only) {
      only.owner.unsent = (only.owner.unsent ?? 1) - 1 + halves.length;
      divide(halves.map((half) => [half]));
    }
    return parts.length > 1 || halves !== undefined;
  };

  const one = async (planned: Part[]): Promise<void> => {
    const parts = planned.filter(({ owner }) => !owner.verdict);
    const [first] = parts;
    if (!first || (sizeOf(parts) >= tooLargeBytes && halve(parts))) return;
    const bytes = first.stored ?? (await gzip(requestOf(signal, parts)));
    const sent = asRefusal(await post(bytes), itemsIn(parts));
    if (sent.status === 'accepted') return accept(parts, sent.rejectedCount, sent.message);
    if (sent.status === 'unavailable') self.stop ??= sent;
    else if (sent.status === 'too-large') {
      tooLargeBytes = Math.min(tooLargeBytes, sizeOf(parts));
      if (!halve(parts)) await suspect(parts, 'refused', `${sent.message}, for a single span`);
    } else if (parts.every(({ owner }) => owner === first.owner)) {
      await suspect(parts, sent.status, sent.message);
    } else halve(parts);
  };

  /** The rest of what was refused; now and then the last other request, while nothing has been taken. */
  const take = (): Part[] | undefined => {
    if (!looksElsewhere) return queue.shift();
    looksElsewhere = false;
    isElsewhere = true;
    return queue.pop();
  };

  const work = async (): Promise<void> => {
    for (let next = take(); next && !self.stop; next = take()) await one(next);
  };

  return Object.assign(self, {
    async deliver(parts: readonly Part[]) {
      queue = requestsOf(parts, limits);
      await Promise.all(Array.from({ length: limits.concurrency }, work));
      queue = [];
    },
    async end() {
      await judge();
      const [first] = suspects;
      if (!first || self.stop) return;
      const refused = suspects.filter(({ status }) => status === 'refused');
      if (refused.length > 0 && (await takesEmpty(first.message))) {
        if (refused.length <= evidence.emptyCredit) {
          evidence.emptyCredit -= refused.length;
          refused.forEach(blame);
        } else self.stop ??= { message: first.message, isUndecided: true };
      }
      if (self.stop) return;
      for (const { owner, message } of suspects) owner.verdict ??= { status: 'retry', message };
    },
  });
}

const itemsIn = (parts: readonly Part[]): number => parts.reduce((sum, { itemCount }) => sum + itemCount, 0);

/** A partial success of which nothing was a success: it can be divided, since none of it comes twice. */
function asRefusal(sent: Sent, itemCount: number): Sent {
  if (sent.status !== 'accepted' || sent.rejectedCount < itemCount) return sent;
  return { status: 'refused', message: `all spans were rejected${sent.message ? `: ${sent.message}` : ''}` };
}

/** Which spans were rejected nobody says; each object gets its share, and the shares make the whole. */
function apportion(parts: readonly Part[], rejectedCount: number, message: string | undefined): void {
  let itemsLeft = itemsIn(parts);
  let rejectedLeft = Math.min(rejectedCount, itemsLeft);
  for (const { owner, itemCount } of parts) {
    const share = Math.round((rejectedLeft * itemCount) / itemsLeft);
    owner.rejectedCount += share;
    if (message !== undefined && (share > 0 || rejectedCount === 0)) owner.remark = message;
    rejectedLeft -= share;
    itemsLeft -= itemCount;
  }
}
