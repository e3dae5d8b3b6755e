/**
 * Objects of the bucket to any OTLP/HTTP endpoint: each is **inspected**, **stamped**, taken apart into spans, freed of
 * **twins**, **merged** with the other parts of its traces, and **sent**; what cannot be sent alone is put aside.
 */
import type { BatchResult, BatchSender, FetchedObject, ObjectResult } from './batch.js';
import { createSeenSpans, leaveOutTwins } from './dedupe.js';
import { createDelivery, type Delivery } from './deliver.js';
import { createEvidence } from './evidence.js';
import { inspect } from './inspect.js';
import { planRequests } from './merge.js';
import { createOtlpSender, type OtlpSenderDeps } from './otlp-sender.js';
import { type ObjectState, piecesOf, type Verdict } from './pieces.js';
import { type BatchSenderOptions, checkSenderOptions, type SenderSettings } from './sender-options.js';
import { applyStamp, contextOf, stampOf } from './stamp.js';
import { clampTimes, findBadTimes } from './times.js';

/**
 * Makes a sender, which is for one endpoint and remembers what it has sent.
 *
 * `send` takes objects as they are stored and answers for each: `sent`, `quarantine` with a reason, or `retry`. An object
 * is `sent` when all its spans have been taken, or stand in others that were. It never rejects.
 *
 * @throws {TypeError} naming the option, what it got and what it takes.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export function createBatchSender(options: BatchSenderOptions): BatchSender {
  const settings = checkSenderOptions(options);
  return assembleBatchSender(settings, {
    fetch: settings.fetch,
    now: settings.now,
    random: Math.random,
    sleep: (millis, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(done, millis);
        function done(): void {
          clearTimeout(timer);
          signal?.removeEventListener('abort', done);
          resolve();
        }
        signal?.addEventListener('abort', done);
        if (signal?.aborted) done();
      }),
  });
}

/** The same with the world as a parameter. */
export function assembleBatchSender(settings: SenderSettings, deps: OtlpSenderDeps): BatchSender {
  const sender = createOtlpSender(settings, deps);
  const seen = createSeenSpans(settings.dedupeSpans);
  const evidence = createEvidence();
  return {
    async send(objects, signal) {
      const delivery = createDelivery({ sender, seen, evidence, signal, concurrency: settings.concurrency });
      const states = objects.map(stateOf);
      let failure = '';
      try {
        await sendAll(states, delivery, signal);
      } catch (error) {
        failure = faultOfOurs(error).message;
      }
      failure ||= delivery.stop?.message ?? (signal?.aborted ? 'it was stopped' : 'not all of it was taken');
      const { requestCount, byteCount, stop } = delivery;
      const result: BatchResult = {
        results: states.map((state) => resultOf(state, failure)),
        requestCount,
        byteCount,
      };
      if (stop?.retryAfterMillis !== undefined) result.retryAfterMillis = stop.retryAfterMillis;
      if (stop?.isUndecided) {
        result.isUndecided = true;
        for (const { key, status } of result.results) if (status === 'retry') evidence.doubted.add(key);
      }
      return result;
    },
  };

  /** As many objects at a time as may be held. */
  async function sendAll(
    states: ObjectState[],
    delivery: Delivery,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    let held: ObjectState[] = [];
    let heldBytes = 0;
    const sendHeld = async (): Promise<void> => {
      leaveOutTwins(held, seen);
      await delivery.deliver(planRequests(held, settings));
      for (const state of held) settle(state);
      held = [];
      heldBytes = 0;
    };
    for (const state of states) {
      if (signal?.aborted || delivery.stop) break;
      try {
        heldBytes += await prepare(state);
      } catch (error) {
        state.verdict = faultOfOurs(error);
      }
      if (state.verdict) continue;
      held.push(state);
      if (heldBytes >= settings.maxHeldBytes) await sendHeld();
    }
    if (!signal?.aborted && !delivery.stop) await sendHeld();
    await delivery.end();
  }

  /** @returns what it inflates to, bytes. */
  async function prepare(state: ObjectState): Promise<number> {
    const { stamp, badTimes, gunzip } = settings;
    const inspected = await inspect(state.object.bytes, settings, { asStored: stamp === false, gunzip });
    if ('reason' in inspected) {
      state.verdict = { status: 'quarantine', ...inspected };
      return 0;
    }
    const { request, spanCount, inflatedBytes, isAmbiguous } = inspected;
    state.spanCount = spanCount;
    const context = contextOf(state.object.key);
    state.project = context.project ?? '';
    state.asStored = stamp === false && !isAmbiguous;
    if (stamp !== false) {
      try {
        applyStamp(request, await stampOf(stamp, context));
      } catch {
        state.verdict = { status: 'retry', message: 'the stamp function failed' };
        return 0;
      }
    }
    const nowMillis = settings.now();
    const times = { nowMillis, receivedAtMillis: context.receivedAtMillis ?? nowMillis };
    if (badTimes === 'clamp') clampTimes(request, times);
    const fault = badTimes === 'quarantine' ? findBadTimes(request, times) : undefined;
    if (fault) state.verdict = { status: 'quarantine', ...fault };
    else state.pieces = piecesOf(state, request);
    return inflatedBytes;
  }
}

/** The objects lie where they are. */
function faultOfOurs(error: unknown): Verdict {
  return { status: 'retry', message: `spandrel failed: ${String(error).slice(0, 200)}` };
}

function stateOf(object: FetchedObject, index: number): ObjectState {
  const counts = { spanCount: 0, duplicateCount: 0, rejectedCount: 0 };
  return { object, index, project: '', ...counts, pieces: [], twins: [], asStored: false, isSent: false };
}

/** All that came of an object is known; its texts are let go. */
function settle(state: ObjectState): void {
  state.isSent = [...state.pieces, ...state.twins].every(({ delivered }) => delivered);
  state.pieces = [];
  state.twins = [];
}

function resultOf(state: ObjectState, failure: string): ObjectResult {
  const { object, spanCount, duplicateCount, rejectedCount, remark } = state;
  const counts = { key: object.key, spanCount, duplicateCount, rejectedCount };
  if (state.isSent && !state.verdict) {
    return { ...counts, status: 'sent', ...(remark === undefined ? {} : { message: remark }) };
  }
  const verdict: Verdict = state.verdict ?? { status: 'retry', message: failure };
  return { ...counts, ...verdict };
}
