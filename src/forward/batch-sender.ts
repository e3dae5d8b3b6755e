/**
 * Objects of the bucket to any OTLP/HTTP endpoint: each is **inspected** and **stamped**, several go in one request,
 * **untouched inside**, and what cannot be sent alone is put aside.
 */
import type { Signal } from '../object-key.js';
import { inspect } from '../wire/inspect.js';
import type { BatchResult, BatchSender, FetchedObject, ObjectResult } from './batch.js';
import { createDelivery, type Delivery } from './deliver.js';
import { createEvidence } from './evidence.js';
import { signalOf } from './folder.js';
import { createOtlpSender, type OtlpSenderDeps } from './otlp-sender.js';
import { type ObjectState, type Part, partsOf, type Verdict } from './parts.js';
import { wait } from './patient-storage.js';
import {
  type BatchSenderOptions,
  checkSenderOptions,
  type SenderSettings,
  signalUrl,
} from './sender-options.js';
import { applyStamp, contextOf, stampOf } from './stamp.js';
import { clampTimes, findBadTimes } from './times.js';

/**
 * Makes a sender, which is for one endpoint.
 *
 * `send` takes objects as they are stored and answers for each: `sent`, `quarantine` with a reason, or `retry`. It never
 * rejects.
 *
 * @throws {TypeError} naming the option, what it got and what it takes.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export function createBatchSender(options: BatchSenderOptions): BatchSender {
  const settings = checkSenderOptions(options);
  const { fetch, now } = settings;
  return assembleBatchSender(settings, { fetch, now, random: Math.random, sleep: wait });
}

/** The same with the world as a parameter. */
export function assembleBatchSender(settings: SenderSettings, deps: OtlpSenderDeps): BatchSender {
  // In the order in which they are sent.
  const senders = (['traces', 'logs'] as const).map((signal) => createSignalSender(signal, settings, deps));
  return {
    async send(objects, abort) {
      const states = objects.map(stateOf);
      const result: BatchResult = { results: [], requestCount: 0, byteCount: 0 };
      for (const send of senders) {
        const { requestCount, byteCount, stop } = await send(states, abort);
        result.requestCount += requestCount;
        result.byteCount += byteCount;
        if (stop?.retryAfterMillis !== undefined) {
          result.retryAfterMillis = Math.max(result.retryAfterMillis ?? 0, stop.retryAfterMillis);
        }
        if (stop?.isUndecided) result.isUndecided = true;
      }
      result.results = states.map(resultOf);
      return result;
    },
  };
}

type SignalSender = (all: readonly ObjectState[], abort: AbortSignal | undefined) => Promise<Delivery>;

/** For one signal, which has an endpoint of its own. Each object of it has a verdict afterwards, or is sent. */
function createSignalSender(signal: Signal, settings: SenderSettings, deps: OtlpSenderDeps): SignalSender {
  const sender = createOtlpSender({ ...settings, url: signalUrl(settings.url, signal) }, deps);
  const evidence = createEvidence();
  /** So much is held at a time: enough for every connection. */
  const maxHeldBytes = settings.maxRequestBytes * settings.concurrency;

  async function sendAll(states: readonly ObjectState[], delivery: Delivery, abort?: AbortSignal) {
    let held: Part[] = [];
    let heldBytes = 0;
    for (const state of states) {
      if (abort?.aborted || delivery.stop) return;
      const parts = await prepare(state, settings);
      state.unsent = state.verdict ? undefined : parts.length;
      for (const part of parts) {
        held.push(part);
        heldBytes += part.json.length;
      }
      if (heldBytes < maxHeldBytes) continue;
      await delivery.deliver(held);
      held = [];
      heldBytes = 0;
    }
    if (!abort?.aborted) await delivery.deliver(held);
    await delivery.end();
  }

  return async (all, abort) => {
    const states = all.filter((state) => state.signal === signal);
    const delivery = createDelivery({ signal, sender, limits: settings, evidence, abort });
    let failure = '';
    try {
      await sendAll(states, delivery, abort);
    } catch (error) {
      failure = faultOfOurs(error).message;
    }
    failure ||= delivery.stop?.message ?? (abort?.aborted ? 'it was stopped' : 'not all of it was taken');
    for (const state of states) {
      if (state.unsent !== 0) state.verdict ??= { status: 'retry', message: failure };
      if (delivery.stop?.isUndecided && state.verdict?.status === 'retry')
        evidence.doubted.add(state.object.key);
    }
    return delivery;
  };
}

/** What of an object is to be sent, or a verdict on it. */
async function prepare(state: ObjectState, settings: SenderSettings): Promise<Part[]> {
  const { object, signal } = state;
  const { stamp, rewrite, badTimes, gunzip } = settings;
  let doing = 'spandrel';
  try {
    const inspected = await inspect(object.bytes, settings, { signal, asStored: stamp === false, gunzip });
    if ('reason' in inspected) {
      state.verdict = { status: 'quarantine', ...inspected };
      return [];
    }
    const { request, spanCount, isAmbiguous } = inspected;
    state.spanCount = spanCount;
    const context = contextOf(object.key);
    doing = 'the rewrite function';
    if (rewrite && signal === 'traces') await rewrite(request, object.key);
    doing = 'the stamp function';
    if (stamp !== false) applyStamp(request, await stampOf(stamp, context));
    doing = 'spandrel';
    const nowMillis = settings.now();
    const times = { nowMillis, receivedAtMillis: context.receivedAtMillis ?? nowMillis };
    if (badTimes === 'clamp') clampTimes(request, times);
    const fault = badTimes === 'quarantine' ? findBadTimes(request, times) : undefined;
    if (fault) state.verdict = { status: 'quarantine', ...fault };
    else return partsOf(state, request, settings, stamp === false && !isAmbiguous ? object.bytes : undefined);
  } catch (error) {
    state.verdict =
      doing === 'spandrel' ? faultOfOurs(error) : { status: 'retry', message: `${doing} failed` };
  }
  return [];
}

/** The objects lie where they are. */
function faultOfOurs(error: unknown): Verdict {
  return { status: 'retry', message: `spandrel failed: ${String(error).slice(0, 200)}` };
}

/** Callers may hand over objects under any names. */
function stateOf(object: FetchedObject): ObjectState {
  return {
    object,
    signal: signalOf(object.key) ?? 'traces',
    spanCount: 0,
    rejectedCount: 0,
    unsent: undefined,
  };
}

function resultOf({ object, spanCount, rejectedCount, verdict, remark }: ObjectState): ObjectResult {
  const counts = { key: object.key, spanCount, rejectedCount };
  if (verdict) return { ...counts, ...verdict };
  return { ...counts, status: 'sent', ...(remark === undefined ? {} : { message: remark }) };
}
