import { AwsV4Signer } from 'aws4fetch';
import { readBounded } from './bounded-read.js';
import { parseObjectListing } from './object-listing.js';
import { functionOption, integerOption, inWords, optionError, secretInWords } from './option-check.js';
import { type Storage, StorageError } from './storage.js';

export interface S3Options {
  /**
   * Where the store answers, http or https, with a path if it has one; objects are `{endpoint}/{bucket}/{key}`.
   * R2: `https://{account}.r2.cloudflarestorage.com`.
   */
  endpoint: string;
  /**
   * The endpoint for presigned URLs, when browsers reach the store by another host than this server does
   * (proxies, containers). The host is signed, so a presigned URL works on this host only. Default: `endpoint`.
   */
  publicEndpoint?: string;
  bucket: string;
  /** Default `auto`, which is R2's; S3 wants the real one. */
  region?: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** For temporary credentials. A presigned URL ends with them, however long it was meant to last. */
  sessionToken?: string;
  /**
   * True stores objects with `Content-Encoding: gzip`, for readers that need it. Default false: R2 and GCS
   * decompress such objects for readers that do not ask for gzip, and these then fail on the `.gz` suffix.
   */
  contentEncoding?: boolean;
  /** Milliseconds until a request to the store is given up, 1 to 300,000. Default 15,000. */
  timeoutMillis?: number;
  /** Default: the global `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** The signer's clock, epoch milliseconds. Stores refuse signatures that are some 15 minutes off. */
  now?: () => number;
}

/** What every signature needs beside the request itself. */
export interface S3Identity {
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/**
 * A store that speaks the S3 API: R2, S3, MinIO and the like.
 *
 * Presigned uploads are `PUT`s whose signature holds host, `content-type: application/gzip` and
 * `if-none-match: *`, so that one URL writes one object, of that type, once. Nothing is retried here: the client
 * that asked comes again.
 *
 * @throws {TypeError} naming the option, when one is missing or unusable.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
export function s3(options: S3Options): Storage {
  const endpoint = endpointOption('endpoint', options.endpoint);
  const publicEndpoint = endpointOption('publicEndpoint', options.publicEndpoint ?? options.endpoint);
  const bucket = options.bucket;
  if (typeof bucket !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/.test(bucket)) {
    throw optionError('bucket', inWords(bucket), 'the name of a bucket');
  }
  const identity: S3Identity = {
    region: textOption('region', options.region ?? 'auto'),
    accessKeyId: textOption('accessKeyId', options.accessKeyId),
    secretAccessKey: textOption('secretAccessKey', options.secretAccessKey),
  };
  if (options.sessionToken !== undefined) {
    identity.sessionToken = textOption('sessionToken', options.sessionToken);
  }
  const timeoutMillis = integerOption('timeoutMillis', options.timeoutMillis ?? 15_000, 1, 300_000);
  const send = functionOption('fetch', options.fetch) ?? ((url, init) => fetch(url, init));
  const now = functionOption('now', options.now) ?? Date.now;
  const signingKeys = new Map<string, ArrayBuffer>();

  const objectHeaders: Record<string, string> = {
    'content-type': 'application/gzip',
    'if-none-match': '*',
    ...(options.contentEncoding ? { 'content-encoding': 'gzip' } : {}),
  };

  /** One request with credentials. Resolves with any answer that the caller has named, body unread. */
  async function call(
    method: string,
    url: URL,
    expected: readonly number[],
    body?: { bytes: Uint8Array<ArrayBuffer>; headers: Record<string, string> },
  ): Promise<Response> {
    const headers = body?.headers ?? {};
    const signed = await signRequest(identity, { method, url, headers, atMillis: now(), signingKeys });
    const init: RequestInit = { method, headers: signed.headers, signal: AbortSignal.timeout(timeoutMillis) };
    if (body) init.body = body.bytes;
    const response = await send(signed.url.href, init).catch((cause: unknown) => {
      throw new StorageError(`the store did not answer ${method}`, { cause });
    });
    if (expected.includes(response.status)) return response;
    await release(response);
    throw new StorageError(`the store answered ${method} with ${response.status}`, {
      httpStatus: response.status,
    });
  }

  return {
    uploadLength: 'exact',

    async presign(key, { expiresInSeconds, bytes }) {
      const url = objectUrl(publicEndpoint, bucket, key);
      url.searchParams.set('X-Amz-Expires', String(expiresInSeconds));
      const signed = await signRequest(identity, {
        method: 'PUT',
        url,
        headers: { ...objectHeaders, ...(bytes === undefined ? {} : { 'content-length': String(bytes) }) },
        atMillis: now(),
        signingKeys,
        inQuery: true,
      });
      return { method: 'PUT', url: signed.url.href, headers: { ...objectHeaders } };
    },

    async put(key, bytes, { contentType } = {}) {
      const url = objectUrl(endpoint, bucket, key);
      const headers = contentType ? { 'content-type': contentType, 'if-none-match': '*' } : objectHeaders;
      const response = await call('PUT', url, [200, 201, 204, 412], { bytes, headers });
      await release(response);
      return response.status === 412 ? 'exists' : 'created';
    },

    async head(key) {
      const response = await call('HEAD', objectUrl(endpoint, bucket, key), [200, 404]);
      if (response.status === 404) return undefined;
      const size = response.headers.get('content-length');
      const etag = response.headers.get('etag');
      return {
        ...(size === null ? {} : { size: Number(size) }),
        ...(etag === null ? {} : { etag }),
      };
    },

    async list(prefix, { cursor, after } = {}) {
      const url = new URL(`${endpoint}/${bucket}`);
      let page = '';
      if (cursor !== undefined) page = `&continuation-token=${encodeURIComponent(cursor)}`;
      else if (after !== undefined) page = `&start-after=${encodeURIComponent(after)}`;
      url.search = `list-type=2&prefix=${encodeURIComponent(prefix)}${page}`;
      const response = await call('GET', url, [200]);
      const listing = parseObjectListing(await readBody(response, () => response.text()));
      if (!listing) throw new StorageError('the store answered a listing with something else');
      return listing;
    },

    async get(key, { maxBytes = Number.POSITIVE_INFINITY } = {}) {
      const response = await call('GET', objectUrl(endpoint, bucket, key), [200, 404]);
      if (response.status === 404) {
        await release(response);
        return undefined;
      }
      const bytes = await readBody(response, () => readBounded(response.body, maxBytes));
      if (bytes) return bytes;
      throw new StorageError(`the object is larger than ${maxBytes} bytes`, { tooLarge: true });
    },

    async delete(key) {
      await release(await call('DELETE', objectUrl(endpoint, bucket, key), [200, 204, 404]));
    },
  };
}

/**
 * Signs by SigV4, in the query or in an `Authorization` header, over every header given and the host. The body
 * is not signed. aws4fetch would by itself leave out `content-type`.
 */
export async function signRequest(
  identity: S3Identity,
  request: {
    method: string;
    url: URL;
    headers: Record<string, string>;
    atMillis: number;
    signingKeys: Map<string, ArrayBuffer>;
    inQuery?: boolean;
  },
): Promise<{ url: URL; headers: Headers }> {
  const signer = new AwsV4Signer({
    ...identity,
    service: 's3',
    method: request.method,
    url: request.url.href,
    headers: request.headers,
    datetime: new Date(request.atMillis).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    cache: request.signingKeys,
    signQuery: request.inQuery ?? false,
    allHeaders: true,
  });
  return signer.sign();
}

/** @throws {TypeError} when URL parsing would change the key (`.` and `..` segments). */
function objectUrl(endpoint: string, bucket: string, key: string): URL {
  const href = `${endpoint}/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  const url = new URL(href);
  if (key === '' || url.href !== href) throw new TypeError('spandrel/server: not an object key');
  return url;
}

async function readBody<T>(response: Response, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new StorageError('the answer of the store broke off', { httpStatus: response.status, cause });
  }
}

/** Frees the connection. What the body would have said does not matter, nor whether it still comes. */
async function release(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

function endpointOption(option: string, value: unknown): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash) {
    return url.href.replace(/\/+$/, '');
  }
  // Not echoed: what is wrong with it may be that it holds a password.
  throw optionError(option, secretInWords(value), 'an http(s) URL without user, query and fragment');
}

function textOption(option: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw optionError(option, secretInWords(value), 'a string that is not empty');
}
