/** How to put one object without credentials, once. */
export interface PresignedRequest {
  /** `PUT` sends the bytes as body; `POST` sends a form of `fields` followed by the bytes as `file`. */
  method: 'PUT' | 'POST';
  url: string;
  /** Exactly the headers to send, beside those that the sender's platform sets itself. */
  headers: Record<string, string>;
  /** Form fields, for `POST`. */
  fields?: Record<string, string>;
}

/** One object in a listing. */
export interface StoredObject {
  key: string;
  size: number;
  /** With its quotes, as the store writes it. */
  etag?: string;
  /** Epoch milliseconds of the last write. */
  storedAtMillis?: number;
}

/** What a presigned upload is to be good for. */
export interface PresignOptions {
  /** 1 to 604,800. */
  expiresInSeconds: number;
  /** The length of the body, bytes: exactly this with {@link Storage.uploadLength} `exact`, at most with `range`. */
  bytes?: number;
}

/** Which page of a listing. */
export interface ListOptions {
  /** Of the page before. */
  cursor?: string;
  /** Only keys that come after this one. Not with `cursor`. */
  after?: string;
}

/** See {@link Storage.presign}. */
export type Presign = (key: string, options: PresignOptions) => Promise<PresignedRequest>;

/**
 * An object store, as much of it as we need. Keys are whole, without a leading slash.
 *
 * Every method rejects with {@link StorageError} when the store refuses or does not answer. Whatever else it rejects with
 * counts as no answer.
 */
export interface Storage {
  /**
   * Lets whoever holds the answer put one object under `key`, and only if there is none yet, which a `POST` cannot
   * promise. Absent when the store takes nothing from outside: then everything comes through the relay.
   *
   * The answer's headers may hold less than what is signed: browsers set `content-length` themselves.
   */
  readonly presign?: Presign;
  /** How the store bounds the length of what is put by a presigned upload. Absent: not at all. */
  readonly uploadLength?: 'exact' | 'range';
  /**
   * Puts bytes under `key` unless an object is there already, which stays as it is.
   *
   * @param options.contentType Default `application/gzip`.
   */
  put(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    options?: { contentType?: string },
  ): Promise<'created' | 'exists'>;
  /** Undefined when there is no such object. The size is absent when the store does not tell. */
  head(key: string): Promise<{ size?: number; etag?: string } | undefined>;
  /** One page of the objects whose keys begin with `prefix`, in the order of keys. */
  list(prefix: string, options?: ListOptions): Promise<{ objects: StoredObject[]; cursor?: string }>;
  /**
   * Undefined when there is no such object. One that is stored with `Content-Encoding: gzip` may come inflated, as
   * `fetch` and some stores do by themselves.
   *
   * @param options.maxBytes Reads no further, whatever length was announced, and rejects with a {@link StorageError}
   *   that is `tooLarge`. Default: no bound.
   */
  get(key: string, options?: { maxBytes?: number }): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Also resolves when there was no such object. */
  delete(key: string): Promise<void>;
}

/** A store that takes uploads from outside. */
export interface PresigningStorage extends Storage {
  readonly presign: Presign;
}

interface StorageErrorOptions {
  httpStatus?: number;
  storeCode?: string | undefined;
  storeRegion?: string | undefined;
  tooLarge?: boolean;
  cause?: unknown;
}

/**
 * The store refused, answered nonsense, or did not answer. The message names neither URL nor credential.
 *
 * Know it by its `code`: an application may hold this class twice, from two copies of the package.
 */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code = 'SPANDREL_STORAGE';
  /** The store's status; absent when no answer came. */
  readonly httpStatus: number | undefined;

  /** The store's own word for it, such as `NoSuchBucket`; absent when it has none. */
  readonly storeCode: string | undefined;

  /** Where the bucket is, when the store says that it is in another region than was signed for. */
  readonly storeRegion: string | undefined;

  /** True when an object was larger than the caller takes. */
  readonly tooLarge: boolean;

  constructor(message: string, options: StorageErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.httpStatus = options.httpStatus;
    this.storeCode = options.storeCode;
    this.storeRegion = options.storeRegion;
    this.tooLarge = options.tooLarge ?? false;
  }
}

/** Whichever copy of this package it is from. */
export function isStorageError(error: unknown): error is StorageError {
  return (error as StorageError | null | undefined)?.code === 'SPANDREL_STORAGE';
}
