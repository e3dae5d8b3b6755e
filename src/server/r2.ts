import { readBounded } from '../wire/bounded-read.js';
import { integerOption, inWords, optionError } from './option-check.js';
import { isStorageError, type PresigningStorage, type Storage, StorageError } from './storage.js';

/** An R2 bucket as a Worker's `env` has it: as much of `R2Bucket` as is used. */
export interface R2Bucket {
  /** Null when the condition does not hold. */
  put(
    key: string,
    value: Uint8Array<ArrayBuffer>,
    options: {
      httpMetadata: { contentType: string; contentEncoding?: string };
      onlyIf: { etagDoesNotMatch: string };
    },
  ): Promise<unknown>;
  head(key: string): Promise<R2BucketObject | null>;
  get(key: string): Promise<(R2BucketObject & { body: ReadableStream<Uint8Array> }) | null>;
  list(options: { prefix: string; cursor?: string; startAfter?: string }): Promise<{
    objects: R2BucketObject[];
    truncated: boolean;
    cursor?: string;
  }>;
  delete(key: string): Promise<void>;
}

/** What R2 tells of an object. */
export interface R2BucketObject {
  key: string;
  size: number;
  /** With its quotes. */
  httpEtag: string;
  uploaded: Date;
}

export interface R2StorageOptions {
  /**
   * Signs uploads for browsers: an `s3()` of the same bucket, since a binding cannot. Default: none, so that every
   * object comes through the endpoint's relay, and no credential is needed.
   */
  presign?: PresigningStorage;
  /** True stores relayed objects with `Content-Encoding: gzip`; say the same to `s3()`. Default false. */
  contentEncoding?: boolean;
  /** Milliseconds until an answer of the binding is given up, 1 to 300,000. Default 15,000. */
  timeoutMillis?: number;
}

const METHODS = ['put', 'head', 'get', 'list', 'delete'] as const;
/** What a binding throws where it gives null as a rule. */
const PRECONDITION_FAILED = '10031';

/**
 * The R2 bucket of a Worker's binding as a store: no credentials, and no request that leaves Cloudflare.
 *
 * @param binding such as `env.TRACES`, from `r2_buckets` in wrangler's configuration.
 * @throws {TypeError} when it is no R2 bucket; or naming the option, what it got and what it takes.
 * @see https://developers.cloudflare.com/r2/api/workers/workers-api-reference/
 */
export function r2(binding: R2Bucket, options: R2StorageOptions = {}): Storage {
  if (METHODS.some((method) => typeof binding?.[method] !== 'function')) {
    throw optionError('binding', inWords(binding), 'an R2 bucket, such as env.TRACES, named in "r2_buckets"');
  }
  const { presign: signer, contentEncoding = false } = options;
  if (signer !== undefined && typeof signer?.presign !== 'function') {
    throw optionError('presign', inWords(signer), 's3() of the same bucket');
  }
  const timeoutMillis = integerOption('timeoutMillis', options.timeoutMillis ?? 15_000, 1, 300_000);

  /** What the binding does, within the time that it has. */
  async function call<T>(method: string, task: () => Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(reject, timeoutMillis, new StorageError(`the R2 binding did not answer ${method}`));
    });
    try {
      return await Promise.race([task(), late]);
    } catch (cause) {
      if (isStorageError(cause)) throw cause;
      const code = codeOf(cause);
      const how = code ? `answered ${method} with error ${code}` : `failed at ${method}`;
      throw new StorageError(`the R2 binding ${how}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    ...(signer && { presign: (key, limits) => signer.presign(key, limits) }),
    ...(signer?.uploadLength && { uploadLength: signer.uploadLength }),

    put: (key, bytes, { contentType = 'application/gzip' } = {}) =>
      call('put', async () => {
        const isGzip = contentType === 'application/gzip';
        const httpMetadata = {
          contentType,
          ...(contentEncoding && isGzip ? { contentEncoding: 'gzip' } : {}),
        };
        try {
          const put = await binding.put(key, bytes, { httpMetadata, onlyIf: { etagDoesNotMatch: '*' } });
          return put === null ? 'exists' : 'created';
        } catch (error) {
          if (codeOf(error) === PRECONDITION_FAILED) return 'exists';
          throw error;
        }
      }),

    head: (key) =>
      call('head', async () => {
        const object = await binding.head(key);
        return object ? { size: object.size, etag: object.httpEtag } : undefined;
      }),

    list: (prefix, { cursor, after } = {}) =>
      call('list', async () => {
        const from = cursor === undefined ? after !== undefined && { startAfter: after } : { cursor };
        const page = await binding.list({ prefix, ...from });
        const objects = page.objects.map(({ key, size, httpEtag, uploaded }) => {
          return { key, size, etag: httpEtag, storedAtMillis: uploaded.getTime() };
        });
        return page.truncated && page.cursor !== undefined ? { objects, cursor: page.cursor } : { objects };
      }),

    get: (key, { maxBytes = Number.POSITIVE_INFINITY } = {}) =>
      call('get', async () => {
        const object = await binding.get(key);
        const bytes = object ? await readBounded(object.body, maxBytes) : undefined;
        if (!object || bytes) return bytes;
        throw new StorageError(`the object is larger than ${maxBytes} bytes`, { tooLarge: true });
      }),

    delete: (key) => call('delete', async () => binding.delete(key)),
  };
}

/** R2's code, which stands at the end of what a binding throws: `put: Internal error. (10001)`. */
function codeOf(error: unknown): string | undefined {
  return /\((\d+)\)$/.exec(String(error))?.[1];
}
