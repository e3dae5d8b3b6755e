/** What a store's refusal means, and what to do about it: for commands that open a bucket, and for `doctor`. */
import { isStorageError, type Storage, StorageError } from '../server/storage.js';
import { printable } from './printable.js';

/** As much of a failure as is known. */
export interface StoreTrouble {
  /** HTTP status; 0 or absent when no answer came. */
  status?: number | undefined;
  /** The store's own word. */
  code?: string | undefined;
  /** Where the store says that the bucket is. */
  region?: string | undefined;
  /** Of the connection, such as `ENOTFOUND`. */
  network?: string | undefined;
}

/** What the one to whom the advice goes calls these. */
export interface StoreWords {
  bucket: string;
  endpoint: string;
  region: string;
  key: string;
  secret: string;
  /** Whose clock signs. */
  machine: string;
}

export const FLAG_WORDS: StoreWords = {
  bucket: '--bucket',
  endpoint: '--s3-endpoint',
  region: '--region',
  key: 'AWS_ACCESS_KEY_ID',
  secret: 'AWS_SECRET_ACCESS_KEY',
  machine: "this machine's",
};
export const INGEST_WORDS: StoreWords = {
  bucket: '`bucket` of s3()',
  endpoint: '`publicEndpoint` of s3()',
  region: '`region` of s3()',
  key: '`accessKeyId` of s3()',
  secret: '`secretAccessKey` of s3()',
  machine: "the endpoint's",
};

/** The store's own word, in the XML of its refusal. */
export const storeCodeIn = (body: Uint8Array): string | undefined =>
  /<Code>\s*(\w{1,60})\s*<\/Code>/.exec(Buffer.from(body).toString('latin1'))?.[1];

/** What to change. */
export function cureOf(
  { status = 0, code = '', region, network = '' }: StoreTrouble,
  words: StoreWords,
): string {
  if (status === 0) return networkCure(network, words);
  if (/Skewed|RequestExpired|^AccessDenied.*Expired/i.test(code)) {
    return `clocks differ by more than 15 minutes: set ${words.machine} by NTP`;
  }
  if (/ExpiredToken|InvalidToken|TokenRefreshRequired/.test(code)) {
    return 'the temporary credentials have ended, or AWS_SESSION_TOKEN is not theirs: get new ones';
  }
  if (code === 'NoSuchBucket') return `create the bucket, or mend ${words.bucket}; names are of one account`;
  if (region !== undefined || /Region|LocationConstraint|PermanentRedirect|TemporaryRedirect/.test(code)) {
    return `the bucket is in ${region === undefined ? 'another region' : `the region ${region}`}: mend ${words.region}, and ${words.endpoint} where it names one`;
  }
  if (code === 'AuthorizationHeaderMalformed') return `mend ${words.region}: it is signed`;
  if (/InvalidAccessKeyId|Unauthorized|AccessKeyDisabled|NotSignedUp/.test(code) || status === 401) {
    return `${words.key} is not one of this store: mend it, or ${words.endpoint}`;
  }
  if (code === 'SignatureDoesNotMatch') {
    return `mend ${words.secret}; or ${words.endpoint}, since the host is signed, and a proxy that changes it breaks that`;
  }
  if (code === 'InvalidBucketName') return `mend ${words.bucket}: it is no bucket's name`;
  if (/^(InvalidArgument|InvalidRequest)$/.test(code))
    return `check ${words.key}, ${words.secret} and ${words.region}`;
  if (code === 'MethodNotAllowed' || code === 'NotImplemented' || status === 405 || status === 501) {
    return `the store cannot do this, or ${words.endpoint} is not its S3 API`;
  }
  if (status === 403) return `give ${words.key} the right to do this on the bucket, or mend ${words.bucket}`;
  if (status === 404) return `check ${words.endpoint} and ${words.bucket}: nothing is there`;
  if (status >= 300 && status < 400) return `it redirects: mend ${words.endpoint}, and ${words.region}`;
  if (status === 429 || status === 503) return 'the store asks for patience: try again later';
  if (status >= 500) return 'the store failed: try again later, and look at its status page';
  if (status < 300) return `check ${words.endpoint}: what answers there is no S3 API`;
  return 'look the code up in the documentation of the store';
}

function networkCure(network: string, words: StoreWords): string {
  if (/^(ENOTFOUND|EAI_)/.test(network)) return `the name does not resolve: mend ${words.endpoint}, or DNS`;
  if (network === 'ECONNREFUSED') return `nothing listens there: mend ${words.endpoint} and its port`;
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO|EPROTO/.test(network)) {
    return `TLS fails: mend ${words.endpoint} (http or https, the host's name), or the certificate`;
  }
  return `check ${words.endpoint}, and whether a firewall is in the way`;
}

/** What a failure of a store is, whatever it is. */
export function troubleOf(error: StorageError): StoreTrouble {
  return {
    status: error.httpStatus,
    code: error.storeCode,
    region: error.storeRegion,
    network: networkCodeOf(error),
  };
}

/** Node's word for it, which is somewhere below. */
function networkCodeOf(error: unknown): string | undefined {
  let at = error;
  for (let depth = 0; depth < 5 && typeof at === 'object' && at !== null; depth += 1) {
    const { code, cause, name } = at as { code?: unknown; cause?: unknown; name?: unknown };
    // Our own errors have a code as well, by which copies of this package know each other's.
    if (typeof code === 'string' && /^(?!SPANDREL_)[A-Z][A-Z\d_]{2,60}$/.test(code)) return code;
    if (name === 'TimeoutError') return 'ETIMEDOUT';
    at = cause;
  }
  return undefined;
}

/** The store, whose failures name the bucket, the store's word, and what to do. */
export function explainingStorage<S extends Storage>(storage: S, bucket: string, endpoint: string): S {
  const explain = (error: unknown): never => {
    if (!isStorageError(error) || error.tooLarge) throw error;
    const trouble = troubleOf(error);
    const network = trouble.status === undefined && trouble.network ? ` (${trouble.network})` : '';
    const message = `bucket "${printable(bucket)}" at ${new URL(endpoint).host}: ${error.message}${network}; ${cureOf(trouble, FLAG_WORDS)}`;
    const { httpStatus, storeCode, storeRegion } = error;
    throw new StorageError(message, {
      ...(httpStatus === undefined ? {} : { httpStatus }),
      ...{ storeCode, storeRegion, cause: error },
    });
  };
  return {
    ...storage,
    put: (...args) => storage.put(...args).catch(explain),
    head: (...args) => storage.head(...args).catch(explain),
    list: (...args) => storage.list(...args).catch(explain),
    get: (...args) => storage.get(...args).catch(explain),
    delete: (...args) => storage.delete(...args).catch(explain),
  };
}
