/**
 * Keeps what no blob holds yet armed with the browser as one deferred request, which goes out when the page is gone,
 * however it went, and even if the user never comes back.
 *
 * The bytes are in the database under the key that they are armed for before they are armed, in place of the
 * checkpoint's records: whoever finds them asks whether they arrived. As more spans wait the request is replaced;
 * once any of its spans is sealed it is taken back, and the key is used for something else.
 *
 * @see https://fetch.spec.whatwg.org/#fetch-later-method
 */
import { sumOf } from '../json.js';
import type { Stop, StoreKey } from '../platform/platform.js';
import type { Claim, EncodedTrace, SpanGroup, TraceBlob } from './model.js';
import { type Checkpoint, tracesOfItems } from './outbox-checkpoint.js';
import type { WriteQueue } from './outbox-queue.js';
import { recordOf, stateOf } from './outbox-record.js';

export interface TailDeps {
  after(millis: number, task: () => void): Stop;
  now(): number;
  checkpoint: Checkpoint;
  queue: WriteQueue;
  /** What our records are below: lane and page. */
  prefix: StoreKey;
  encode(group: SpanGroup): EncodedTrace | undefined;
  bodyOf(traces: readonly EncodedTrace[]): string;
  gzip(json: string): Promise<{ bytes: Uint8Array<ArrayBuffer>; rawBytes: number }>;
  /** A key of our own for so many bytes, if there is one to spare: `held`, while that takes them. */
  reserve(length: number, held?: Claim): Claim | undefined;
  /** The key was not used. */
  unreserve(claim: Claim): void;
  /** Arms a request. The result takes it back: true when it had not been sent. */
  defer(blob: TraceBlob, claim: Claim): (() => boolean) | undefined;
  /** The blob's name and number, should it ever be one. */
  id: string;
  seq(): number;
  trouble(kind: string, message: string): void;
  guard(task: () => void): void;
}

export interface Tail {
  /** More waits. */
  grew(): void;
  close(): void;
}

/** How long after something began to wait it is armed. */
const ARM_MILLIS = 800;
/** The browser holds 64 KiB for one origin, with URL and headers. */
const MAX_BYTES = 60_000;
/** About what compresses to that, at a few milliseconds off the main thread. */
const MAX_CHARS = 512 * 1024;

export function createTail(deps: TailDeps): Tail {
  const { checkpoint, queue, prefix } = deps;
  let claim: Claim | undefined;
  let takeBack: (() => boolean) | undefined;
  /** Rises when something was sealed. */
  let epoch = 0;
  let timer: Stop | undefined;
  let isArming = false;
  let closed = false;

  const dissolve = (): void => {
    epoch++;
    const wasSent = takeBack?.() === false;
    takeBack = undefined;
    if (wasSent) deps.trouble('sent-early', 'the browser sent a deferred request of a living page');
    else if (claim) deps.unreserve(claim);
    claim = undefined;
  };

  const arm = async (): Promise<void> => {
    const items = checkpoint.items();
    const traces = tracesOfItems(items, deps.encode);
    const chars = sumOf(traces, ({ json }) => json.length);
    if (!traces.length || chars > MAX_CHARS) return;
    // Without any there is no need to compress.
    claim ??= deps.reserve(0);
    if (!claim) return;
    const current = epoch;
    const { bytes, rawBytes } = await deps.gzip(deps.bodyOf(traces));
    if (closed || current !== epoch || bytes.length > MAX_BYTES || !items.every(checkpoint.has)) return;
    const fitting = deps.reserve(bytes.length, claim);
    // What is armed already stays so.
    if (!fitting) return;
    const summaries = traces.map(({ summary }) => summary);
    const blob: TraceBlob = {
      id: deps.id,
      page: prefix.at(-1) as string,
      seq: deps.seq(),
      bytes,
      rawBytes,
      spanCount: sumOf(summaries, ({ spanCount }) => spanCount),
      error: summaries.some(({ error }) => error),
      traces: summaries,
      sealedAtMillis: deps.now(),
      attempts: 0,
      notBeforeMillis: 0,
      claim: { ...fitting, tries: 1 },
    };
    // Not before the one that it replaces is gone: both may have the same key.
    const earlier = claim === fitting ? undefined : claim;
    if (takeBack?.() === false) {
      if (earlier) deps.unreserve(fitting);
      return dissolve();
    }
    takeBack = undefined;
    claim = fitting;
    const records = [
      [[...prefix, 'blob', blob.id], recordOf(blob)],
      [[...prefix, 'state', blob.id], stateOf(blob)],
    ] as const;
    let isWritten = false;
    const written = (): void => {
      isWritten = true;
    };
    checkpoint.replace(items, records, { written, dissolved: dissolve });
    await queue.settled();
    // As long as a record has it, whoever finds that would take what is under it for its own.
    if (isWritten && earlier) deps.unreserve(earlier);
    // Else who finds the records that it should have replaced would send them as well.
    if (isWritten && current === epoch && !closed) takeBack = deps.defer(blob, fitting);
  };

  const self: Tail = {
    grew() {
      if (isArming || closed) return;
      timer ??= deps.after(ARM_MILLIS, () => {
        timer = undefined;
        isArming = true;
        const before = checkpoint.serial;
        void arm()
          .catch((error) => deps.trouble('deferred', String(error)))
          .then(() => {
            isArming = false;
            if (checkpoint.serial > before) deps.guard(self.grew);
          });
      });
    },
    close() {
      closed = true;
      timer?.();
      takeBack?.();
      takeBack = undefined;
    },
  };
  return self;
}
