import type { StoredObject } from '../server/storage.js';
import { inBatches } from './batches.js';
import { createDoneNotes } from './done-notes.js';
import { byFolder, isForwarded } from './folder.js';
import type { HandlingOptions } from './forward-options.js';
import { checkHandlingOptions, type HandlingSettings } from './forward-settings.js';
import { createBatchHandler, type Remainder } from './handle-batch.js';
import { patientStorage, wait } from './patient-storage.js';
import { objectsOf, type ToldObject } from './queue-message.js';
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
  const { keysOf, objects } = objectsToldOf(messages, settings, report);
  counts.listed = objects.length;
  /** Keys whose objects are to come again, and after how long. */
  const again = new Map<string, number | undefined>();
  try {
    await forwardAll(objects, settings, counts, ({ retry, retryAfterMillis, message }) => {
      for (const { key } of retry) again.set(key, retryAfterMillis);
      if (retry.length > 0) report(new Error(`spandrel/forward: ${message}`));
    });
  } catch (error) {
    report(error);
    // What was sent by then is noted, or it is sent again; either way its message may come again.
    for (const { key } of objects) if (!again.has(key)) again.set(key, undefined);
  }
  counts.left = again.size;
  for (const [message, keys] of keysOf) {
    const key = keys.find((candidate) => again.has(candidate));
    if (key === undefined) message.ack();
    else message.retry({ delaySeconds: delaySeconds(again.get(key), message.attempts ?? 1) });
  }
  quietly(() => options.onBatch?.(counts));
}

/** Each object once, and the keys of ours in each message. */
function objectsToldOf(
  messages: readonly QueueMessage[],
  settings: HandlingSettings,
  report: (error: unknown) => void,
): { keysOf: Map<QueueMessage, string[]>; objects: StoredObject[] } {
  const keysOf = new Map<QueueMessage, string[]>();
  const objects = new Map<string, StoredObject>();
  for (const message of messages) {
    const told = objectsOf(message.body);
    if (!told) report(new Error('spandrel/forward: a message of the queue is no event of a bucket'));
    const isOurs = ({ key }: ToldObject): boolean =>
      key.startsWith(`${settings.prefix}/`) && isForwarded(key, settings);
    const ours = (told ?? []).filter(isOurs).map(({ key, size = 0 }): StoredObject => ({ key, size }));
    keysOf.set(
      message,
      ours.map(({ key }) => key),
    );
    for (const object of ours) objects.set(object.key, object);
  }
  return { keysOf, objects: [...objects.values()] };
}

/** @throws {StorageError} */
async function forwardAll(
  objects: readonly StoredObject[],
  settings: HandlingSettings,
  counts: ForwardCounts,
  onRemainder: (remainder: Remainder) => void,
): Promise<void> {
  const storage = patientStorage(settings.storage, undefined, wait);
  const notes = settings.after === 'keep' ? undefined : createDoneNotes(storage, settings);
  const settler = createSettler(storage, notes, settings);
  const handler = createBatchHandler(storage, settler, settings, counts);
  const crowded: string[] = [];
  let rest = [...objects];
  if (notes) {
    rest = [];
    for (const [folder, some] of byFolder(objects)) {
      const known = await notes.open(folder);
      rest.push(...(await leaveOutDone(some, { notes: known, settler, counts })));
      if (known.areMany) crowded.push(folder);
    }
  }
  while (rest.length > 0) {
    const postponed: StoredObject[] = [];
    for (const batch of inBatches(rest, settings)) {
      const remainder = await handler.handle(batch);
      postponed.push(...remainder.postponed);
      onRemainder(remainder);
    }
    rest = postponed;
  }
  for (const folder of crowded) await notes?.compact(folder);
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
