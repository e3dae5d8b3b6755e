import type { StoredObject } from '../server/storage.js';
import { inBatches } from './batches.js';
import { createDoneNotes } from './done-notes.js';
import { byFolder, isForwarded } from './folder.js';
import type { HandlingOptions } from './forward-options.js';
import { checkHandlingOptions, type HandlingSettings } from './forward-settings.js';
import { createBatchHandler } from './handle-batch.js';
import { patientStorage, wait } from './patient-storage.js';
import { objectsOf } from './queue-message.js';
import { createSettler } from './settle.js';
import { emptyCounts, type ForwardCounts } from './summary.js';
import { leaveOutDone } from './undone.js';

/** One message of a queue, as Workers hand it over. */
export interface QueueMessage {
  readonly body: unknown;
  readonly attempts?: number;
  ack(): void;
  retry(options?: { delaySeconds?: number }): void;
}

/** A batch of messages, as Workers hand it over. */
export interface QueueBatch {
  readonly messages: readonly QueueMessage[];
}

/** Options of the queue consumer. */
export interface ConsumerOptions extends HandlingOptions {
  /** Told of messages that are none of ours, and of every failure. */
  onError?: (error: unknown) => unknown;
  /** Told what became of each batch of messages. */
  onBatch?: (counts: Readonly<ForwardCounts>) => unknown;
}

interface Consumer {
  settings: HandlingSettings;
  options: ConsumerOptions;
}

/** Longest delay that Cloudflare's queues take, 12 hours. */
const MAX_DELAY_SECONDS = 43_200;
/** Where nobody names a time: doubled with each attempt. */
const FIRST_DELAY_SECONDS = 15;
const MAX_OWN_DELAY_SECONDS = 900;

/**
 * Makes a queue's consumer: sends the objects that R2's event notifications tell of, each batch of messages together.
 *
 * A message is acknowledged once its object is sent or put aside, and also when there is nothing to do: the object is
 * gone, was done before, or lies outside of `prefix`. It comes again when backend or store have no room, later where
 * they say when. With `delete` and `move`, what is done is noted, so that the endpoint can tell pages. No leases are
 * taken: a queue gives a message to one consumer at a time.
 *
 * @param configure called once for each environment.
 * @example
 * export default {
 *   ...forwardConsumer((env) => ({
 *     storage: r2(env.TRACES),
 *     to: { url: env.OTLP_URL },
 *     after: 'delete',
 *   })),
 * };
 */
export function forwardConsumer<Env extends object>(
  configure: (env: Env) => ConsumerOptions,
): { queue(batch: QueueBatch, env: Env): Promise<void> } {
  const consumers = new WeakMap<object, Consumer>();
  return {
    async queue(batch, env) {
      let consumer = consumers.get(env);
      if (!consumer) {
        // What is wrong here is the author's, and is to be seen: the batch comes again.
        const { onError, onBatch, ...handling } = configure(env);
        consumer = {
          settings: checkHandlingOptions('forwardConsumer()', handling),
          options: { ...handling, ...(onError ? { onError } : {}), ...(onBatch ? { onBatch } : {}) },
        };
        consumers.set(env, consumer);
      }
      await consume(batch, consumer);
    },
  };
}

async function consume({ messages }: QueueBatch, { settings, options }: Consumer): Promise<void> {
  const counts = emptyCounts();
  const report = (error: unknown): void => quietly(() => options.onError?.(error));
  const storage = patientStorage(settings.storage, undefined, wait);
  const notes = settings.after === 'keep' ? undefined : createDoneNotes(storage, settings);
  const settler = createSettler(storage, notes, settings);
  const handler = createBatchHandler(storage, settler, settings, counts);
  /** Keys whose objects are to come again, and after how long. */
  const again = new Map<string, number | undefined>();
  const keysOf = new Map<QueueMessage, string[]>();
  const objects = new Map<string, StoredObject>();
  for (const message of messages) {
    const told = objectsOf(message.body);
    if (!told) report(new Error('spandrel/forward: a message of the queue is no event of a bucket'));
    const ours = (told ?? []).filter(
      ({ key }) => key.startsWith(`${settings.prefix}/`) && isForwarded(key, settings),
    );
    keysOf.set(
      message,
      ours.map(({ key }) => key),
    );
    for (const { key, size = 0 } of ours) objects.set(key, { key, size });
  }
  counts.listed = objects.size;

  let rest = [...objects.values()];
  try {
    const crowded: string[] = [];
    if (notes) {
      const undone: StoredObject[] = [];
      for (const [folder, some] of byFolder(rest)) {
        const known = await notes.open(folder);
        undone.push(...(await leaveOutDone(some, { notes: known, settler, counts })));
        if (known.areMany) crowded.push(folder);
      }
      rest = undone;
    }
    while (rest.length > 0) {
      const postponed: StoredObject[] = [];
      for (const batch of inBatches(rest, settings)) {
        const { retry, retryAfterMillis, message, postponed: some } = await handler.handle(batch);
        postponed.push(...some);
        for (const { key } of retry) again.set(key, retryAfterMillis);
        if (retry.length > 0) report(new Error(`spandrel/forward: ${message}`));
      }
      rest = postponed;
    }
    for (const folder of crowded) await notes?.compact(folder);
  } catch (error) {
    report(error);
    // What was sent by then is noted, or it is sent again; either way its message may come again.
    for (const { key } of objects.values()) if (!again.has(key)) again.set(key, undefined);
  }
  counts.left = again.size;
  for (const [message, keys] of keysOf) {
    const key = keys.find((candidate) => again.has(candidate));
    if (key === undefined) message.ack();
    else message.retry({ delaySeconds: delaySeconds(again.get(key), message.attempts ?? 1) });
  }
  quietly(() => options.onBatch?.(counts));
}

function delaySeconds(askedMillis: number | undefined, attempts: number): number {
  const ownSeconds = Math.min(FIRST_DELAY_SECONDS * 2 ** (attempts - 1), MAX_OWN_DELAY_SECONDS);
  const seconds = askedMillis === undefined ? ownSeconds : Math.ceil(askedMillis / 1_000);
  return Math.min(Math.max(seconds, 1), MAX_DELAY_SECONDS);
}

/** The author's own trouble; the objects are not to suffer. */
function quietly(task: () => unknown): void {
  (async () => task())().catch(() => undefined);
}
