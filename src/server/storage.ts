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
}

/**
 * An object store, as much of it as we need. Keys are whole, without a leading slash.
 *
 * Every method rejects with {@link StorageError} when the store refuses or does not answer.
 */
export interface Storage {
  /**
   * Lets whoever holds the answer put one object under `key`, and only if there is none yet.
   *
   * @param options.expiresInSeconds 1 to 604,800.
   */
  presign(key: string, options: { expiresInSeconds: number }): Promise<PresignedRequest>;
  /** Puts gzip bytes under `key` unless an object is there already, which stays as it is. */
  put(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<'created' | 'exists'>;
  /** Undefined when there is no such object. The size is absent when the store does not tell. */
  head(key: string): Promise<{ size?: number; etag?: string } | undefined>;
  /** One page of the objects whose keys begin with `prefix`, in the order of keys. */
  list(prefix: string, cursor?: string): Promise<{ objects: StoredObject[]; cursor?: string }>;
  /** Undefined when there is no such object. */
  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Also resolves when there was no such object. */
  delete(key: string): Promise<void>;
}

/** The store refused, answered nonsense, or did not answer. The message names neither URL nor credential. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  /** The store's status; absent when no answer came. */
  readonly httpStatus: number | undefined;

  constructor(message: string, options: { httpStatus?: number; cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.httpStatus = options.httpStatus;
  }
}
