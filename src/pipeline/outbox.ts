/**
 * Keeps blobs until the store has confirmed them: in memory, and written ahead to the browser's database where there
 * is one, so that the next page finds what this one could not send. Stage 4 of 8.
 *
 * | blob        | becomes     | when                                                        |
 * | ----------- | ----------- | ----------------------------------------------------------- |
 * | waiting     | waiting     | an attempt failed (attempts and notBeforeMillis move)        |
 * | waiting     | unconfirmed | a request went out whose answer nobody will see              |
 * | unconfirmed | waiting     | the endpoint says that there is no such object              |
 * | either      | deleted     | stored, rejected, evicted, too old, or another page took it |
 */
import { toJson } from '../json.js';
import type { StoreKey } from '../platform/platform.js';
import type { DropReason, TraceBlob } from './model.js';
import type { WriteQueue } from './outbox-queue.js';
import { recordOf, stateOf } from './outbox-record.js';

export interface OutboxLimits {
  maxBlobs: number;
  maxBytes: number;
  maxAgeMillis: number;
}

export interface OutboxDeps {
  now(): number;
  dropped(reason: DropReason, spanCount: number): void;
  /** Another page has taken these spans over. */
  handedOver(spanCount: number): void;
  /** Whether another page has taken anything over from this one. */
  isTaken(): Promise<boolean>;
  queue: WriteQueue;
  /** What our records are below: lane and page. */
  prefix: StoreKey;
}

export interface Outbox {
  /**
   * Takes a blob in. It is listed from this moment; the promise resolves once it is as durable as this outbox can
   * make it. Over the limits, others are evicted: oldest first, those with errors last. Never rejects.
   */
  add(blob: TraceBlob): Promise<void>;
  /** Takes in a blob that is in the database already, under our prefix. */
  adopt(blob: TraceBlob): void;
  /** Writes down what changed on blobs, default all, since they were written last. */
  save(blobs?: readonly TraceBlob[]): void;
  /**
   * The same for one blob, whose key must be known to be ours before anything goes there. Never rejects.
   *
   * @returns false when another page has taken the blob over; it is not listed any more then.
   */
  claim(blob: TraceBlob): Promise<boolean>;
  /** Writes again what is not in the database as far as we know. */
  rewrite(): void;
  /** Forgets a blob. */
  delete(blob: TraceBlob): void;
  /** Oldest first. */
  list(): readonly TraceBlob[];
  /** Drops what is too old. */
  expire(): void;
  has(blob: TraceBlob): boolean;
  /** Whether the blob is in the database, so that the next page will find it. */
  isDurable(blob: TraceBlob): boolean;
  /** What the database does not hold yet, as far as this page knows: blobs, and the changing part of others. */
  unsaved(): { blob: TraceBlob; whole: boolean }[];
  /** The page was away: forgets the blobs that another has taken over. */
  reconcile(isTaken: (blob: TraceBlob, isDurable: boolean) => boolean): void;
  readonly spanCount: number;
  readonly byteCount: number;
}

interface Entry {
  blob: TraceBlob;
  isDurable: boolean;
  /** The changing part as it was written last, and as it was handed in last. */
  written: string;
  handedIn: string;
}

export function createOutbox(deps: OutboxDeps, limits: OutboxLimits): Outbox {
  const { queue, prefix } = deps;
  const entries = new Map<string, Entry>();
  let spanCount = 0;
  let byteCount = 0;

  const blobKey = ({ id }: TraceBlob): StoreKey => [...prefix, 'blob', id];
  const stateKey = ({ id }: TraceBlob): StoreKey => [...prefix, 'state', id];

  const forget = (blob: TraceBlob): boolean => {
    if (!entries.delete(blob.id)) return false;
    spanCount -= blob.spanCount;
    byteCount -= blob.bytes.length;
    return true;
  };
  const remove = (blob: TraceBlob): boolean => {
    if (!forget(blob)) return false;
    queue.change(blobKey(blob), undefined);
    queue.change(stateKey(blob), undefined);
    return true;
  };
  const drop = (blob: TraceBlob, reason: DropReason): void => {
    if (remove(blob)) deps.dropped(reason, blob.spanCount);
  };
  const handOver = (blob: TraceBlob): void => {
    if (forget(blob)) deps.handedOver(blob.spanCount);
  };
  const evict = (): void => {
    if (entries.size <= limits.maxBlobs && byteCount <= limits.maxBytes) return;
    const victims = self.list().slice();
    // What was adopted came late and is older than the rest.
    victims.sort((a, b) => Number(a.error) - Number(b.error) || a.sealedAtMillis - b.sealedAtMillis);
    for (const blob of victims) {
      if (entries.size <= limits.maxBlobs && byteCount <= limits.maxBytes) return;
      drop(blob, 'outbox-full');
    }
  };
  /** Hands in the changing part, if it has changed. */
  const handIn = (entry: Entry): boolean => {
    const state = toJson(stateOf(entry.blob));
    if (state === entry.handedIn) return false;
    entry.handedIn = state;
    return true;
  };

  const take = (blob: TraceBlob, isDurable: boolean): Entry => {
    const state = toJson(stateOf(blob));
    const entry = { blob, isDurable, written: state, handedIn: state };
    entries.set(blob.id, entry);
    spanCount += blob.spanCount;
    byteCount += blob.bytes.length;
    return entry;
  };

  const write = (entry: Entry): void => {
    queue.change(blobKey(entry.blob), recordOf(entry.blob), (written) => {
      entry.isDurable = written;
      // Its key may be known by now, and be in use.
      if (written) self.save([entry.blob]);
    });
  };

  const self: Outbox = {
    add(blob) {
      write(take(blob, false));
      evict();
      return queue.settled();
    },
    adopt(blob) {
      take(blob, true);
      evict();
    },
    save(blobs) {
      const changed = blobs ? blobs.map(({ id }) => entries.get(id)) : entries.values();
      for (const entry of changed) {
        if (!entry || !handIn(entry)) continue;
        const { blob, handedIn } = entry;
        queue.change(stateKey(blob), stateOf(blob), (written) => {
          if (written) entry.written = handedIn;
          else if (entry.handedIn === handedIn) entry.handedIn = entry.written;
        });
      }
    },
    async claim(blob) {
      const entry = entries.get(blob.id);
      if (!entry) return false;
      await queue.settled();
      if (entry.isDurable) {
        handIn(entry);
        const { handedIn } = entry;
        const isThere = await queue.putIfPresent(blobKey(blob), stateKey(blob), stateOf(blob));
        if (isThere) entry.written = handedIn;
        else if (isThere === undefined) entry.handedIn = entry.written;
        // While we were frozen, or our lease had run out.
        else if (await deps.isTaken()) handOver(blob);
        // The user has cleared the site's data.
        else write(entry);
      }
      return entries.has(blob.id);
    },
    rewrite() {
      for (const entry of entries.values()) {
        if (!entry.isDurable) write(entry);
        if (entry.handedIn !== entry.written) entry.handedIn = '';
      }
      self.save();
    },
    delete: (blob) => void remove(blob),
    list: () => [...entries.values()].map(({ blob }) => blob),
    expire() {
      const oldest = deps.now() - limits.maxAgeMillis;
      for (const { blob } of entries.values()) if (blob.sealedAtMillis < oldest) drop(blob, 'too-old');
    },
    has: ({ id }) => entries.has(id),
    isDurable: ({ id }) => entries.get(id)?.isDurable === true,
    unsaved: () =>
      [...entries.values()]
        .filter(({ blob, isDurable, written }) => !isDurable || written !== toJson(stateOf(blob)))
        .map(({ blob, isDurable }) => ({ blob, whole: !isDurable })),
    reconcile(isTaken) {
      for (const { blob, isDurable } of [...entries.values()]) if (isTaken(blob, isDurable)) handOver(blob);
    },
    get spanCount() {
      return spanCount;
    },
    get byteCount() {
      return byteCount;
    },
  };
  return self;
}
