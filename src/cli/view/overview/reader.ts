/** Reads the source's objects into the database, newest first, while questions are answered of what is there. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { ViewObject, ViewSource } from '../source.js';
import type { Database } from './database.js';
import { readFacts } from './otlp-facts.js';

const inflate = promisify(gunzip);
/** No stored object of ours inflates to this; a gzip bomb does. */
const MAX_INFLATED_BYTES = 64 * 1024 * 1024;
const MAX_READS = 6;
/** Spans that are read in all: what is older is told to be left. */
const MAX_SPANS = 1_000_000;
/** How long the first answer waits for objects that are being read, and each further one. */
const PATIENCE_MILLIS = [1_500, 4_000] as const;

/** How far the reading is. */
export interface Reading {
  objects: number;
  /** Objects still to read. */
  left: number;
  /** Objects that hold no traces, or could not be had. */
  failed: number;
  /** Spans without usable ids. */
  skipped: number;
  spans: number;
  /** Older objects are left out: there are as many spans as are read. */
  isFull: boolean;
}

export interface Reader {
  /** Looks for new objects, and resolves when all are read, or after some patience. */
  catchUp(): Promise<Reading>;
  traceId(trace: number): string;
  /** The objects that hold a trace, by their numbers. */
  object(number: number): ViewObject | undefined;
  numberOf(traceId: string): number | undefined;
  stop(): void;
}

export function createReader(source: ViewSource, database: Database, maxSpans = MAX_SPANS): Reader {
  const numbers = new Map<string, number>();
  const ids: string[] = [];
  const objects: ViewObject[] = [];
  const known = new Set<string>();
  /** The next to be read is last. */
  let queue: ViewObject[] = [];
  let running: Promise<void> | undefined;
  const told = { objects: 0, failed: 0, skipped: 0, spans: 0 };
  /** Objects on their way. */
  let underWay = 0;
  let isStopped = false;
  let patienceMillis: number = PATIENCE_MILLIS[0];

  const numberOfTrace = (id: string): number => {
    let number = numbers.get(id);
    if (number === undefined) {
      number = ids.push(id) - 1;
      numbers.set(id, number);
    }
    return number;
  };
  const isFull = (): boolean => told.spans >= maxSpans;

  const readOne = async (object: ViewObject): Promise<void> => {
    underWay += 1;
    try {
      const bytes = await source.get(object.key);
      if (!bytes) throw new TypeError('gone');
      const number = objects.push(object) - 1;
      const { uploadedAt } = object;
      const { facts, skipped } = readFacts(JSON.parse(await textOf(bytes)), {
        ...{ object: number, uploadedAt, numberOfTrace },
      });
      database.add(facts);
      told.objects += 1;
      told.skipped += skipped;
      for (const part of facts.parts) told.spans += Number(part[4]);
    } catch {
      told.failed += 1;
    }
    underWay -= 1;
  };
  const lane = async (): Promise<void> => {
    for (let next = queue.pop(); next && !isStopped; next = isFull() ? undefined : queue.pop())
      await readOne(next);
  };
  const readAll = async (): Promise<void> => {
    await Promise.all(Array.from({ length: MAX_READS }, lane));
    if (isFull()) queue = [];
    running = undefined;
  };

  return {
    async catchUp() {
      const fresh = (await source.list()).filter(({ key }) => !known.has(key));
      for (const { key } of fresh) known.add(key);
      for (const object of fresh.reverse()) queue.push(object);
      if (isFull()) queue = [];
      if (queue.length) running ??= readAll();
      if (running) await patience(running, patienceMillis);
      patienceMillis = PATIENCE_MILLIS[1];
      return { ...told, left: queue.length + underWay, isFull: isFull() };
    },
    traceId: (trace) => ids[trace] ?? '',
    object: (number) => objects[number],
    numberOf: (traceId) => numbers.get(traceId),
    stop() {
      isStopped = true;
    },
  };
}

async function patience(work: Promise<void>, millis: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, millis);
  });
  await Promise.race([work, enough]);
  clearTimeout(timer);
}

async function textOf(bytes: Uint8Array): Promise<string> {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const plain = isGzip ? await inflate(bytes, { maxOutputLength: MAX_INFLATED_BYTES }) : bytes;
  return new TextDecoder('utf-8', { fatal: true }).decode(plain);
}
