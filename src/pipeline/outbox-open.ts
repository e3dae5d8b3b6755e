/** The outbox with all that makes it last: joined here, and run by the page's comings and goings. */
import type { Platform, Stop, StoreKey } from '../platform/platform.js';
import type { DropReason, EncodedTrace, SpanGroup, TraceBlob } from './model.js';
import { createOutbox, type Outbox, type OutboxLimits } from './outbox.js';
import { type Adopter, createAdopter } from './outbox-adopt.js';
import { type Checkpoint, createCheckpoint } from './outbox-checkpoint.js';
import { createWriteQueue } from './outbox-queue.js';
import { createTail, type Tail, type TailDeps } from './outbox-tail.js';

export interface OpenOutboxDeps
  extends Pick<TailDeps, 'bodyOf' | 'gzip' | 'reserve' | 'unreserve' | 'defer' | 'seq'> {
  platform: Platform;
  /** The destination's id. What it was not given by this page, it may be given by the next. */
  destinationId: string;
  /** How often the database has not deleted what the user denied: what it holds from before is nobody's any more. */
  denials?: string | undefined;
  /** Names this page where there is no database. */
  newId(): string;
  /** Undefined where spans are not to be written down before they are in a blob. */
  encodeAhead: ((group: SpanGroup) => EncodedTrace | undefined) | undefined;
  dropped(reason: DropReason, spanCount: number): void;
  handedOver(spanCount: number): void;
  /** Takes a blob of an earlier page, which is in the outbox now. */
  adoptedBlob(blob: TraceBlob): void;
  /** Takes traces of an earlier page that are to be sealed. */
  adoptedTraces(traces: EncodedTrace[]): void;
  /** Takes what the destination of an earlier page had kept. */
  owed(name: string, value: unknown): void;
  corrupt(): void;
  storeFailed(error: unknown): void;
  trouble(kind: string, message: string): void;
  guard(task: () => void): void;
}

/** Opens an outbox for one destination: the durable one, or the one in memory. */
export type OutboxOpener = (deps: OpenOutboxDeps, limits: OutboxLimits) => OpenOutbox;

export interface OpenOutbox {
  readonly outbox: Outbox;
  /** Whether there is a database. */
  readonly isDurable: boolean;
  /** Undefined where nothing lasts, or spans are not to be written down. */
  readonly checkpoint: Checkpoint | undefined;
  /** Name of this load of the page. A UUID. */
  readonly page: string;
  /** Keeps something for the next page, or forgets it when undefined. */
  remember(name: string, value: unknown): void;
  /** Writes everything down, now: the page may be seen for the last time. */
  save(): void;
  /**
   * A navigation has begun, which may not come to its end. Everything is written down: Chromium tells a page that is
   * alone in its process and closes itself nothing further. Where the bfcache takes only pages without locks
   * (`Platform.cachesEarly`), ours is let go here, and taken again by a page that stays.
   */
  unload(): void;
  /** Writes everything down and lets others take over what is here. */
  leave(): void;
  /** The page is back: resolves when it is known what others have taken over. Never rejects. */
  back(): Promise<void>;
  /** Ends everything. What is in the database stays there for the next page. */
  close(): Promise<void>;
}

/** By then a navigation has come to its end, unless its server is slow, or the page stays. */
const STAYED_MILLIS = 10_000;
/** Adopting can wait until the page has loaded. */
const START_MILLIS = 1_000;
/** How often a page looks for others that have died meanwhile. */
const ADOPT_MILLIS = 60_000;

export function openOutbox(deps: OpenOutboxDeps, limits: OutboxLimits): OpenOutbox {
  const { platform } = deps;
  const store = platform.openStore();
  const tabs = store && platform.openTabs(store);
  const page = tabs?.name ?? deps.newId();
  const lane = `${deps.denials ? `since denial ${deps.denials} ` : ''}to ${deps.destinationId}`;
  const prefix: StoreKey = [lane, page];
  const ready = tabs?.hold() ?? Promise.resolve();
  const queue = createWriteQueue({ store, ready, after: platform.after, failed: deps.storeFailed });
  const tailId = deps.newId();
  let adopter: Adopter | undefined;
  let tail: Tail | undefined;
  let isAway = false;
  let isLent = false;
  let visits = 0;
  let coming: Promise<void> | undefined;
  let closed = false;
  let stopTimer: Stop | undefined;

  const outbox = createOutbox(
    {
      now: platform.now,
      dropped: deps.dropped,
      handedOver: deps.handedOver,
      isTaken: async () => (await adopter?.isTaken()) ?? false,
      queue,
      prefix,
    },
    limits,
  );
  const { encodeAhead } = deps;
  const checkpoint =
    store &&
    encodeAhead &&
    createCheckpoint({
      whenIdle: platform.whenIdle,
      after: platform.after,
      encode: encodeAhead,
      queue,
      wrote: () => tail?.grew(),
      prefix,
    });
  if (checkpoint && encodeAhead && platform.canDefer) {
    const { after, now } = platform;
    tail = createTail({
      ...deps,
      after,
      now,
      checkpoint,
      queue,
      prefix,
      encode: encodeAhead,
      id: tailId,
    });
  }
  if (store && tabs) {
    adopter = createAdopter({
      store,
      notes: platform.notes,
      tabs,
      lane,
      now: platform.now,
      blob(blob) {
        if (closed) return;
        outbox.adopt(blob);
        deps.adoptedBlob(blob);
      },
      traces(traces, key) {
        if (closed) return;
        checkpoint?.adopted(traces, key);
        deps.adoptedTraces(traces);
      },
      owed: deps.owed,
      corrupt: deps.corrupt,
    });
  }

  const adopt = (): void => {
    stopTimer = undefined;
    if (isAway || isLent || closed || !adopter) return;
    void adopter
      .run()
      .catch((error) => {
        if (!closed) deps.storeFailed(error);
      })
      .then(() => {
        if (!isAway && !isLent && !closed) stopTimer ??= platform.after(ADOPT_MILLIS, adopt);
      });
  };
  const adoptSoon = (): void => {
    stopTimer?.();
    if (adopter) stopTimer = platform.whenIdle(START_MILLIS, adopt);
  };
  void ready.then(() => deps.guard(adoptSoon));

  const save = (): void => {
    outbox.save();
    queue.flush();
  };

  const comeBack = async (): Promise<void> => {
    isAway = isLent = false;
    const current = ++visits;
    let found: StoreKey[] = [];
    try {
      await tabs?.hold();
      const isTaken = await adopter?.back();
      if (isTaken) outbox.reconcile(isTaken);
      found = (await store?.keys(prefix)) ?? [];
    } catch (error) {
      deps.storeFailed(error);
    }
    // Gone again before it was known: what is kept for others now is theirs, until the next return.
    if (isAway || isLent) return;
    if (current !== visits) return coming;
    // A transaction that was under way when the page was put away may have been given up.
    outbox.rewrite();
    checkpoint?.resume(found.filter(([, , kind, id]) => kind === 'spans' || id === tailId));
    await queue.settled();
    if (isAway || isLent) return;
    if (current !== visits) return coming;
    // Not kept for longer, even if it is all there is: it would bring back what is stored by then.
    adopter?.forgetNote();
    adoptSoon();
  };
  const back = async (): Promise<void> => {
    if (isAway || isLent) coming = comeBack();
    await coming;
  };

  return {
    outbox,
    isDurable: store !== undefined,
    checkpoint,
    page,
    remember(name, value) {
      if (!closed) queue.change([...prefix, 'owed', name], value);
    },
    save,
    unload() {
      if (!tabs || isAway) return;
      if (!platform.cachesEarly) {
        checkpoint?.writeNow();
        return save();
      }
      isLent = true;
      // Spans may be taken over only by whoever can be sure that we will not seal them; blobs have keys.
      checkpoint?.suspend();
      queue.flush();
      tabs.release();
      platform.after(STAYED_MILLIS, () => {
        if (isLent && !isAway) void back();
      });
    },
    leave() {
      save();
      adopter?.note(outbox.unsaved(), checkpoint?.serial ?? -1, tailId, queue.undeleted());
      isAway = true;
      store?.letGo();
      tabs?.release();
    },
    back,
    async close() {
      closed = true;
      stopTimer?.();
      checkpoint?.close();
      tail?.close();
      save();
      await queue.settled();
      tabs?.close();
      store?.close();
    },
  };
}
