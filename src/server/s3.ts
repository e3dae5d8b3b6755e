import { readBounded } from '../wire/bounded-read.js';
import { parseObjectListing } from './object-listing.js';
import { checkS3Options, type S3Options } from './s3-options.js';
import { objectHeaders, objectUrl, presignPost, presignPut } from './s3-presign.js';
import { type PresigningStorage, StorageError } from './storage.js';

/** A page of 1,000 keys of 1,024 bytes, each written as a reference of six, and what stands around them. */
const MAX_LISTING_BYTES = 16 * 1024 * 1024;
/** An error in XML is shorter, and an object that was put is answered with nothing. */
const MAX_WORD_BYTES = 64 * 1024;

/**
 * A store that speaks the S3 API: R2, S3, MinIO, Ceph, B2, Tigris and the like, GCS by its interoperability.
 *
 * Presigned uploads hold host, type and length in their signature, and `if-none-match: *` unless they are forms, so
 * that one URL writes one object, of that type, once. Nothing is retried here: the client that asked comes again.
 * Redirects are not followed, since a signature is for one host.
 *
 * @throws {TypeError} naming the option, when one is missing or unusable.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function s3(options: S3Options): PresigningStorage {
  const settings = checkS3Options(options);
  const { address, signer, timeoutMillis, send } = settings;

  /** One request with credentials. Resolves with any answer that the caller has named, body unread. */
  async function call(
    method: string,
    url: URL,
    expected: readonly number[],
    body?: { bytes: Uint8Array<ArrayBuffer>; headers: Record<string, string> },
  ): Promise<Response> {
    const headers = await signer.signHeaders({ method, url, headers: body?.headers ?? {} });
    const signal = AbortSignal.timeout(timeoutMillis);
    const init: RequestInit = { method, headers, signal, redirect: 'manual' };
    if (body) init.body = body.bytes;
    const response = await send(url.href, init).catch((cause: unknown) => {
      throw new StorageError(`the store did not answer ${method}`, { cause });
    });
    if (expected.includes(response.status)) return response;
    throw refusal(method, response, await readText(response, MAX_WORD_BYTES).catch(() => undefined));
  }

  const storage: PresigningStorage = {
    uploadLength: settings.uploads === 'put' ? 'exact' : 'range',

    presign: (key, options) =>
      (settings.uploads === 'post' ? presignPost : presignPut)(settings, key, options),

    async put(key, bytes, { contentType } = {}) {
      if (!settings.writeOnce && (await storage.head(key))) return 'exists';
      const headers = objectHeaders(settings, contentType);
      const response = await call('PUT', objectUrl(address, key), [200, 201, 204, 412], { bytes, headers });
      const said = await readText(response, MAX_WORD_BYTES);
      if (response.status === 412) return 'exists';
      // Stores that began to answer before they were done have only the body left to say that they failed.
      if (!said?.includes('<Error>')) return 'created';
      throw new StorageError('the store answered PUT with an error', { httpStatus: response.status });
    },

    async head(key) {
      const response = await call('HEAD', objectUrl(address, key), [200, 404]);
      if (response.status === 404) return undefined;
      const size = Number(response.headers.get('content-length') ?? Number.NaN);
      const etag = response.headers.get('etag');
      return {
        ...(Number.isSafeInteger(size) && size >= 0 ? { size } : {}),
        ...(etag === null ? {} : { etag }),
      };
    },

    async list(prefix, { cursor, after } = {}) {
      const url = new URL(address);
      let page = '';
      if (cursor !== undefined) page = `&continuation-token=${encodeURIComponent(cursor)}`;
      else if (after !== undefined) page = `&start-after=${encodeURIComponent(after)}`;
      url.search = `list-type=2&prefix=${encodeURIComponent(prefix)}${page}`;
      const text = await readText(await call('GET', url, [200]), MAX_LISTING_BYTES);
      const listing = text === undefined ? undefined : parseObjectListing(text);
      if (!listing) {
        throw new StorageError('the store answered a listing with something else', { httpStatus: 200 });
      }
      return listing;
    },

    async get(key, { maxBytes = Number.POSITIVE_INFINITY } = {}) {
      const response = await call('GET', objectUrl(address, key), [200, 404]);
      if (response.status === 404) {
        const words = await readText(response, MAX_WORD_BYTES).catch(() => undefined);
        // A bucket that is not there holds no object, but nobody meant that.
        if (words?.includes('<Code>NoSuchBucket<')) throw refusal('GET', response, words);
        return undefined;
      }
      const bytes = await read(response, maxBytes);
      if (bytes) return bytes;
      throw new StorageError(`the object is larger than ${maxBytes} bytes`, { tooLarge: true });
    },

    async delete(key) {
      await release(await call('DELETE', objectUrl(address, key), [200, 204, 404]));
    },
  };
  return storage;
}

/** What the store says, without what it repeats of the request. */
function refusal(method: string, { status, headers }: Response, words = ''): StorageError {
  const storeCode = /<Code>\s*(\w{1,60})\s*<\/Code>/.exec(words)?.[1];
  const region = headers.get('x-amz-bucket-region') ?? /<Region>(.*?)<\/Region>/.exec(words)?.[1] ?? '';
  return new StorageError(`the store answered ${method} with ${status}${storeCode ? ` ${storeCode}` : ''}`, {
    httpStatus: status,
    storeCode,
    storeRegion: /^[\w-]{1,40}$/.test(region) ? region : undefined,
  });
}

/** Undefined when there is more. */
async function read(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await readBounded(response.body, maxBytes);
  } catch (cause) {
    throw new StorageError('the answer of the store broke off', { httpStatus: response.status, cause });
  }
}

async function readText(response: Response, maxBytes: number): Promise<string | undefined> {
  const bytes = await read(response, maxBytes);
  return bytes && new TextDecoder().decode(bytes);
}

/** Frees the connection. What the body would have said does not matter, nor whether it still comes. */
async function release(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}
