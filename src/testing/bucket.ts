import { gzipSync } from 'node:zlib';
import type { BatchSender, FetchedObject, ObjectResult } from '../forward/batch.js';
import { objectKey } from '../object-key.js';
import { type Storage, StorageError } from '../server/storage.js';
import { uuidV7 } from '../server/uuid.js';

/** A bucket in a map, which several parties look at, each in its own way. */
export interface TestBucket {
  readonly objects: Map<string, Uint8Array<ArrayBuffer>>;
  /** Keys below a prefix, in order. */
  keys(prefix?: string): string[];
  /** The text of an object. */
  text(key: string): string;
  view(hooks?: BucketHooks): Storage;
}

/** May wait, and may throw: `before` the bucket has changed or told anything, and `after`. */
export interface BucketHooks {
  before?: (method: string, key: string) => unknown;
  after?: (method: string, key: string) => unknown;
}

export function testBucket({ pageSize = 1_000 }: { pageSize?: number } = {}): TestBucket {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  const bytewise = (one: string, other: string): number =>
    Buffer.compare(Buffer.from(one), Buffer.from(other));
  const bucket: TestBucket = {
    objects,
    keys(prefix = '') {
      return [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(bytewise);
    },
    text(key) {
      return Buffer.from(objects.get(key) ?? '').toString();
    },
    view({ before, after } = {}) {
      const step = async <T>(method: string, key: string, act: () => T): Promise<T> => {
        await before?.(method, key);
        const result = act();
        await after?.(method, key);
        return result;
      };
      return {
        presign: () => Promise.reject(new StorageError('not here')),
        put: (key, bytes) =>
          step('put', key, () => {
            if (Buffer.byteLength(key) > 1_024) throw new StorageError('key too long', { httpStatus: 400 });
            if (objects.has(key)) return 'exists' as const;
            objects.set(key, bytes.slice());
            return 'created' as const;
          }),
        head: (key) => step('head', key, () => objects.get(key) && { size: objects.get(key)?.length ?? 0 }),
        list: (prefix, { cursor, after = '' } = {}) =>
          step('list', prefix, () => {
            const start = cursor ?? after;
            const all = bucket.keys(prefix).filter((key) => bytewise(key, start) > 0);
            const keys = all.slice(0, pageSize);
            const last = keys.at(-1);
            return {
              objects: keys.map((key) => ({ key, size: objects.get(key)?.length ?? 0 })),
              ...(all.length > keys.length && last !== undefined ? { cursor: last } : {}),
            };
          }),
        get: (key, { maxBytes = Number.POSITIVE_INFINITY } = {}) =>
          step('get', key, () => {
            const bytes = objects.get(key);
            if (bytes && bytes.length > maxBytes) throw new StorageError('too large', { tooLarge: true });
            return bytes?.slice();
          }),
        delete: (key) => step('delete', key, () => void objects.delete(key)),
      };
    },
  };
  return bucket;
}

/** A key as the endpoint makes them. */
export function traceKey(
  atMillis: number,
  index: number,
  { project = 'shop', environment = 'production' }: { project?: string; environment?: string } = {},
): string {
  const random = new Uint8Array(10);
  new DataView(random.buffer).setUint32(6, index);
  return objectKey({ prefix: 'otlp/v1', environment }, project, atMillis, uuidV7(atMillis, random));
}

export function gzipOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(text));
}

/** What a sender under test does with one object. Default: it is sent. */
export type Verdict = Partial<ObjectResult>;

export interface TestSender extends BatchSender {
  /** Keys of each batch. */
  readonly batches: string[][];
  /** How often each key was taken. */
  readonly taken: Map<string, number>;
}

/** Takes everything, or does as it is told. */
export function testSender(
  verdict: (object: FetchedObject) => Verdict = () => ({}),
  retryAfterMillis?: () => number | undefined,
): TestSender {
  const batches: string[][] = [];
  const taken = new Map<string, number>();
  return {
    batches,
    taken,
    async send(objects) {
      batches.push(objects.map(({ key }) => key));
      const results = objects.map((object): ObjectResult => {
        const result: ObjectResult = {
          ...{ key: object.key, status: 'sent', spanCount: 1, rejectedCount: 0 },
          ...verdict(object),
        };
        if (result.status === 'sent') taken.set(object.key, (taken.get(object.key) ?? 0) + 1);
        return result;
      });
      const askedMillis = retryAfterMillis?.();
      return {
        ...{ results, requestCount: 1, byteCount: objects.length },
        ...(askedMillis === undefined ? {} : { retryAfterMillis: askedMillis }),
      };
    },
  };
}
