/**
 * Objects of the bucket to any OTLP/HTTP endpoint: each is **inspected**, **stamped**, taken apart into spans, freed of
 * **twins**, **merged** with the other parts of its traces, and **sent**; what cannot be sent alone is put aside.
 */
import type { Signal } from '../object-key.js';
import type { BatchResult, BatchSender, FetchedObject, ObjectResult } from './batch.js';
import { createSeenSpans, leaveOutTwins } from './dedupe.js';
import { createDelivery, type Delivery } from './deliver.js';
import { createEvidence } from './evidence.js';
import { signalOf } from './folder.js';
import { inspect } from './inspect.js';
import { planRequests } from './merge.js';
import { createOtlpSender, type OtlpSenderDeps } from './otlp-sender.js';
import { type ObjectState, piecesOf, type Verdict } from './pieces.js';
import {
  type BatchSenderOptions,
  checkSenderOptions,
  type SenderSettings,
  signalUrl,
} from './sender-options.js';
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
  const senders = SIGNALS.map((signal) => ({ signal, sender: createSignalSender(signal, settings, deps) }));
  return {
    async send(objects, abort) {
      const sent: BatchResult[] = [];
      for (const { signal, sender } of senders) {
        const some = objects.filter(({ key }) => signalOrTraces(key) === signal);
        if (some.length > 0) sent.push(await sender.send(some, abort));
      }
      return together(objects, sent);
    },
  };
}

/** In the order in which they are sent. */
const SIGNALS: readonly Signal[] = ['traces', 'logs'];

/** Callers may hand over objects under any names. */
const signalOrTraces = (key: string): Signal => signalOf(key) ?? 'traces';

function together(objects: readonly FetchedObject[], sent: readonly BatchResult[]): BatchResult {
  const [only] = sent;
  if (only && sent.length === 1) return only;
  const byKey = new Map(sent.flatMap(({ results }) => results).map((result) => [result.key, result]));
  const waits = sent.flatMap(({ retryAfterMillis }) => retryAfterMillis ?? []);
  const sum = (count: 'requestCount' | 'byteCount'): number => sent.reduce((all, one) => all + one[count], 0);
  return {
    results: objects.flatMap(({ key }) => byKey.get(key) ?? []),
    requestCount: sum('requestCount'),
    byteCount: sum('byteCount'),
    ...(waits.length > 0 ? { retryAfterMillis: Math.max(...waits) } : {}),
    ...(sent.some(({ isUndecided }) => isUndecided) ? { isUndecided: true } : {}),
  };
}

/** For one signal, which has an endpoint of its own. */
function createSignalSender(signal: Signal, settings: SenderSettings, deps: OtlpSenderDeps): BatchSender {
  const sender = createOtlpSender({ ...settings, url: signalUrl(settings.url, signal) }, deps);
  const seen = createSeenSpans(settings.dedupeSpans);
  const evidence = createEvidence();
  return {
    async send(objects, abort) {
      const { concurrency } = settings;
      const delivery = createDelivery({ signal, sender, seen, evidence, abort, concurrency });
      const states = objects.map((object, index) => stateOf(object, index, signal));
      let failure = '';
      try {
        await sendAll(states, delivery, abort);
      } catch (error) {
        failure = faultOfOurs(error).message;
      }
      failure ||= delivery.stop?.message ?? (abort?.aborted ? 'it was stopped' : 'not all of it was taken');
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
    abort: AbortSignal | undefined,
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
      if (abort?.aborted || delivery.stop) break;
      try {
        heldBytes += await prepare(state);
      } catch (error) {
        state.verdict = faultOfOurs(error);
      }
      if (state.verdict) continue;
      held.push(state);
      if (heldBytes >= settings.maxHeldBytes) await sendHeld();
    }
    if (!abort?.aborted && !delivery.stop) await sendHeld();
    await delivery.end();
  }

  /** @returns what it inflates to, bytes. */
  async function prepare(state: ObjectState): Promise<number> {
    const { stamp, rewrite, badTimes, gunzip } = settings;
    const inspected = await inspect(state.object.bytes, settings, {
      ...{ signal, asStored: stamp === false, gunzip },
    });
    if ('reason' in inspected) {
      state.verdict = { status: 'quarantine', ...inspected };
      return 0;
    }
    const { request, spanCount, inflatedBytes, isAmbiguous } = inspected;
    state.spanCount = spanCount;
    const context = contextOf(state.object.key);
    state.project = context.project ?? '';
    state.asStored = stamp === false && !isAmbiguous;
    if (rewrite && signal === 'traces') {
      try {
        await rewrite(request, state.object.key);
      } catch {
        state.verdict = { status: 'retry', message: 'the rewrite function failed' };
        return 0;
      }
    }
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

function stateOf(object: FetchedObject, index: number, signal: Signal): ObjectState {
  const counts = { spanCount: 0, duplicateCount: 0, rejectedCount: 0 };
  return {
    object,
    signal,
    index,
    project: '',
    ...counts,
    pieces: [],
    twins: [],
    asStored: false,
    isSent: false,
  };
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
