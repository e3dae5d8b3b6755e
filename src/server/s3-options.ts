import { functionOption, integerOption, inWords, optionError, secretInWords } from './option-check.js';
import { createSigner, type Signer, type SigningIdentity } from './sigv4.js';

export interface S3Options {
  /**
   * Where the store answers, http or https, with a path if it has one; objects are `{endpoint}/{bucket}/{key}`.
   * R2: `https://{account}.r2.cloudflarestorage.com`.
   */
  endpoint: string;
  /**
   * The endpoint for presigned uploads, when browsers reach the store by another host than this server does
   * (proxies, containers). The host is signed, so a presigned URL works on this host only. Default: `endpoint`.
   */
  publicEndpoint?: string;
  bucket: string;
  /** True for stores that want `{bucket}.{host}/{key}`, such as Tigris for new buckets. Default false. */
  virtualHosted?: boolean;
  /** Default `auto`, which is that of R2, GCS and Tigris; S3 and B2 want the real one. */
  region?: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** For temporary credentials. A presigned upload ends with them, however long it was meant to last. */
  sessionToken?: string;
  /**
   * What browsers get. Default `put`.
   *
   * `put`: a URL whose signature holds host, type, write-once, and the exact length where the endpoint bounds
   * lengths. Costs a preflight for each object.
   *
   * `post`: a form that needs no preflight, that a beacon can carry, and that bounds the length from above. For S3,
   * MinIO and Ceph; R2 and B2 take none. It is not write-once: until it expires, whoever holds it can replace the
   * object. Never inline such uploads into a page that a cache may give to two visitors.
   */
  uploads?: 'put' | 'post';
  /**
   * False for stores that refuse `If-None-Match` when something is put, such as B2 (501), or pass over it, such as GCS.
   * A presigned `PUT` can then replace its object until it expires; a put by this server looks first, which two at once
   * do in vain. Default true.
   */
  writeOnce?: boolean;
  /**
   * True stores objects with `Content-Encoding: gzip`, for readers that need it. Default false: R2 and GCS
   * decompress such objects for readers that do not ask for gzip, and these then fail on the `.gz` suffix.
   */
  contentEncoding?: boolean;
  /** Milliseconds until a request to the store is given up, its answer's body included, 1 to 300,000. Default 15,000. */
  timeoutMillis?: number;
  /** Default: the global `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** The signer's clock, epoch milliseconds. Stores refuse signatures that are some 15 minutes off. */
  now?: () => number;
}

/** {@link S3Options}, checked and made ready. */
export interface S3Settings {
  bucket: string;
  /** The bucket's URL without a slash at its end: for this server's requests, and for presigned uploads. */
  address: string;
  publicAddress: string;
  signer: Signer;
  uploads: 'put' | 'post';
  writeOnce: boolean;
  contentEncoding: boolean;
  timeoutMillis: number;
  send: (url: string, init: RequestInit) => Promise<Response>;
  /** Epoch milliseconds. */
  now: () => number;
}

/** @throws {TypeError} naming the option, what it got and what it takes, when one is missing or unusable. */
export function checkS3Options(options: S3Options): S3Settings {
  const { bucket, uploads = 'put', virtualHosted = false } = options;
  const endpoint = endpointOption('endpoint', options.endpoint);
  const publicEndpoint = endpointOption('publicEndpoint', options.publicEndpoint ?? options.endpoint);
  if (typeof bucket !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/.test(bucket)) {
    throw optionError('bucket', inWords(bucket), 'the name of a bucket');
  }
  oneOf('uploads', uploads, ['put', 'post']);
  const identity: SigningIdentity = {
    region: textOption('region', options.region ?? 'auto'),
    accessKeyId: textOption('accessKeyId', options.accessKeyId),
    secretAccessKey: textOption('secretAccessKey', options.secretAccessKey),
  };
  if (options.sessionToken !== undefined) {
    identity.sessionToken = textOption('sessionToken', options.sessionToken);
  }
  const now = functionOption('now', options.now) ?? Date.now;
  return {
    bucket,
    address: addressOf(endpoint, bucket, virtualHosted),
    publicAddress: addressOf(publicEndpoint, bucket, virtualHosted),
    signer: createSigner(identity, now),
    uploads,
    writeOnce: options.writeOnce ?? true,
    contentEncoding: options.contentEncoding ?? false,
    timeoutMillis: integerOption('timeoutMillis', options.timeoutMillis ?? 15_000, 1, 300_000),
    send: functionOption('fetch', options.fetch) ?? ((url, init) => fetch(url, init)),
    now,
  };
}

function addressOf(endpoint: string, bucket: string, virtualHosted: unknown): string {
  if (virtualHosted === false) return `${endpoint}/${bucket}`;
  if (virtualHosted !== true) throw optionError('virtualHosted', inWords(virtualHosted), 'true or false');
  const address = endpoint.replace('://', `://${bucket}.`);
  // A certificate for `*.host` holds for one label, and a host has no capitals.
  const name = endpoint.startsWith('https:') ? /^[a-z0-9-]+$/ : /^[a-z0-9.-]+$/;
  if (name.test(bucket) && URL.canParse(address)) return address;
  throw optionError(
    'virtualHosted',
    'true',
    'false for a bucket whose name cannot stand in front of this host',
  );
}

function oneOf(option: string, value: unknown, values: readonly string[]): void {
  if (values.some((one) => one === value)) return;
  throw optionError(option, inWords(value), values.map((one) => `"${one}"`).join(' or '));
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
