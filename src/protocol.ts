/**
 * The one POST between a client and the endpoint, version 1.
 *
 * `POST {endpoint}` with a JSON {@link ExchangeRequest} sent as `text/plain`, so that it needs no CORS
 * preflight; answered with an {@link ExchangeResponse}, or with an {@link ErrorResponse} and a matching
 * HTTP status. `POST {endpoint}?relay={token}` carries gzip bytes that the server stores under the token's
 * key. `POST {endpoint}?relay=&blob={blob id}` does the same for a page that left before it ever got a token.
 *
 * Types and constants only: shared by client and server, imports nothing.
 */

/** Version of this protocol, the `v` of every request and response. */
export const PROTOCOL_VERSION = 1;

/** One trace (or part of one) inside a stored object, as the client tells it. A hint: the object decides. */
export interface TraceSummary {
  /** 32 lowercase hex digits. */
  traceId: string;
  /** Name of the local root span, or of the earliest span when the part holds no root. At most 255 characters. */
  rootName: string;
  /** Start of the earliest span, epoch milliseconds. */
  startedAt: number;
  /** From the earliest start to the latest end, milliseconds, fractions kept. */
  durationMs: number;
  spanCount: number;
  /** True when any span has status ERROR. */
  error: boolean;
}

/** What the client says about one object that it put into the bucket. */
export interface StoredReceipt {
  /** The object key, as issued. */
  key: string;
  /** The token that came with the upload. */
  token: string;
  spanCount: number;
  /** Log records, where it is an object of logs, which has no spans. */
  logRecordCount?: number;
  /** Size of the stored gzip bytes, padding included as far as the page knows of it. */
  bytes: number;
  /** The page that sealed the object, and the object's number on that page, from 1: a missing number is a gap. */
  page?: string;
  seq?: number;
  /** Present and true when the page left before the store answered: the object is probably there. */
  unconfirmed?: true;
  traces: TraceSummary[];
}

/** What a page says of itself: `created + adopted = stored + waiting + dropped + handedOver`, counted in spans. */
export interface PageLedger {
  /** UUID of this load of the page. */
  id: string;
  /** Objects sealed so far: the greatest `seq` that is to be expected. */
  sealed: number;
  /** Sampled spans that ended on this page. */
  created: number;
  /** Spans taken over from pages that are gone. */
  adopted: number;
  stored: number;
  waiting: number;
  dropped: number;
  /** Spans that another page has taken over from this one. */
  handedOver: number;
  /** How the page fares. Version 0.1.0 does not say. */
  health?: PageHealth;
}

/** What went wrong since the page's last request that was answered. What is absent did not happen. */
export interface PageHealth {
  /** Uploads that failed, whatever became of the blob after. */
  uploadFailures?: number;
  exchangeFailures?: number;
  /** Times a blob was to be sent and there was no upload for it. */
  noUpload?: number;
  /** Exceptions of Spandrel's own, or of functions that the page gave it. */
  exceptions?: number;
  /** The most spans that waited in the page's buffer at once, since then. */
  highWater?: number;
}

/** Body of `POST {endpoint}`. Every list may be empty. */
export interface ExchangeRequest {
  v: typeof PROTOCOL_VERSION;
  /** Who asks, such as `spandrel/0.1.0`; browsers do not let a page set `User-Agent`. */
  client?: string;
  /** Public project key, when the endpoint serves several projects. */
  project?: string;
  /** How many fresh uploads are wanted. The server may give fewer. */
  want: number;
  /**
   * Lengths, bytes, that the uploads are wanted for: those of `renew` first, in its order, then the fresh ones. Where
   * it is too short, the server chooses. See {@link PresignedUpload.bytes}.
   */
  sizes?: number[];
  stored: StoredReceipt[];
  /** Tokens whose fate is unknown: is there an object under their key? */
  confirm: string[];
  /** Tokens whose presigned URL has expired: a new URL for the same key, please. */
  renew: string[];
  /** Spans lost since the last request that was answered, by reason. */
  lost: Record<string, number>;
  /** The sender's ledger at this moment. */
  page?: PageLedger;
}

/** One permission to put one object under one key. */
export interface PresignedUpload {
  /** `PUT` sends the bytes as body; `POST` sends a form of `fields` followed by the bytes as `file`. */
  method: 'PUT' | 'POST';
  url: string;
  /** Exactly the headers to send, beside those the browser sets itself. */
  headers: Record<string, string>;
  /** Form fields, for `POST`. */
  fields?: Record<string, string>;
  /** The object key, chosen wholly by the server. */
  key: string;
  /** Proves that the server issued this key. Outlives the URL. */
  token: string;
  /** Lifetime of the URL in milliseconds, counted from receipt. */
  expiresInMs: number;
  /** The store takes a body of exactly this length, bytes: gzip can be made longer by an `FEXTRA` field. */
  bytes?: number;
  /** The store takes a body of at most this length, bytes. */
  maxBytes?: number;
}

/** What the operator tells the clients. */
export interface ClientConfig {
  /** True stops collection and upload until the page is loaded again. */
  paused: boolean;
  /** In order: the first that matches and wins decides. Where there are any, what matches none is not sampled. */
  rules: SamplingRule[];
}

/** Which traces are kept, told by the server: at most {@link MAX_RULES} of them. Unknown fields are ignored. */
export interface SamplingRule {
  /** Becomes `spandrel.sampling.rule_id` of what the rule keeps. */
  id: string | number;
  /** Attributes of the trace's first span on the page, at least one; all must be equal, type and all. */
  match: Record<string, string | number | boolean>;
  /**
   * The share that is kept, above 0 and at most 1: a trace whose `ratio`, the last 8 bytes of its id divided by 2^64,
   * is less than this. Whoever knows the id can tell.
   */
  rate: number;
}

/** Each trace is compared with all of them, and they are kept in the browser. */
export const MAX_RULES = 100;

/** Body of a 200 answer. */
export interface ExchangeResponse {
  v: typeof PROTOCOL_VERSION;
  /** Renewed uploads (same key as before) and fresh ones, in no order. */
  uploads: PresignedUpload[];
  confirmed: { token: string; stored: boolean }[];
  config: ClientConfig;
  /** Present and true where the store takes no uploads from outside: send the bytes to this endpoint's relay. */
  relay?: true;
}

/** Body of a relay that was stored (200 for new bytes, 200 too when the object was already there). */
export interface RelayResponse {
  v: typeof PROTOCOL_VERSION;
  key: string;
  token: string;
  /** False when an earlier attempt had already stored the object. */
  created: boolean;
}

/** Stable, machine-readable kinds of failure. */
export type ErrorCode =
  | 'malformed' // 400: not the JSON or bytes that this protocol speaks
  | 'bad_token' // 400: forged, foreign, or expired beyond use
  | 'unknown_project' // 401
  | 'forbidden_origin' // 403
  | 'not_found' // 404
  | 'method_not_allowed' // 405
  | 'too_slow' // 408: the body did not come in time
  | 'too_large' // 413
  | 'rate_limited' // 429, with Retry-After
  | 'storage_failed' // 502: the store refused or did not answer
  | 'internal'; // 500

/** Body of every answer that is not 2xx. */
export interface ErrorResponse {
  error: { code: ErrorCode; message: string };
}

/*
 * Version 2: a blob has one id for life, and its id decides its key. There are no tokens.
 *
 * `POST {endpoint}` with a JSON {@link BlobExchangeRequest} sent as `text/plain`; answered with a
 * {@link BlobExchangeResponse}, or with an {@link ErrorResponse} and a matching HTTP status.
 *
 * `POST {endpoint}?relay={id}`, with `&project={public key}` where there are several, carries one gzip member or
 * OTLP/JSON as it is, with `&signal=logs` of logs; the server stores it under the id's key, once, and answers with a {@link BlobRelayResponse}.
 */

/** The `v` of every request and answer of protocol 2. */
export const BLOB_PROTOCOL_VERSION = 2;

/** One blob that is to be put into the bucket. */
export interface WantedUpload {
  /** A UUIDv7 in lowercase: 48 bits of time, epoch milliseconds by the endpoint's clock where that is known, and 74 random ones. */
  id: string;
  /** Present where it holds logs: `logs_{id}.json.gz`. Default traces. */
  signal?: 'logs';
  /** The exact length of its gzip, from 1. */
  bytes: number;
  /** The blob may have been sent before: the server looks before it signs. */
  again?: true;
  /**
   * Says that a client of protocol 1 left the blob: the token of the object that it may have become, or an empty text. The
   * server looks for that too, and first.
   */
  token?: string;
}

/** What the client says about one blob that it has stored. */
export interface BlobReceipt extends Omit<StoredReceipt, 'key' | 'token'> {
  id: string;
  /** As in {@link WantedUpload}. */
  signal?: 'logs';
}

/** Body of `POST {endpoint}`. Every list may be empty or absent. */
export interface BlobExchangeRequest {
  v: typeof BLOB_PROTOCOL_VERSION;
  /** Who asks, such as `spandrel/0.2.0`. */
  client?: string;
  /** Public project key, when the endpoint serves several projects. */
  project?: string;
  /** The sender's ledger at this moment. */
  page?: PageLedger;
  /** At most 100, each id once. */
  wants: WantedUpload[];
  /** At most 100. */
  stored: BlobReceipt[];
  /** Spans lost since the last request that was answered, by reason. */
  lost: Record<string, number>;
}

/**
 * What becomes of one {@link WantedUpload}: how to put it; that it is there; or why not, with the code `malformed` (its
 * id is none), `too_large` (no upload takes so many bytes), or `rate_limited` (come again after `Retry-After`).
 */
export type BlobUpload =
  | ({ id: string } & Omit<PresignedUpload, 'key' | 'token'>)
  | { id: string; stored: true }
  | { id: string; error: ErrorResponse['error'] };

/** Body of a 200 answer. */
export interface BlobExchangeResponse {
  v: typeof BLOB_PROTOCOL_VERSION;
  /** The endpoint's time, epoch milliseconds. */
  now: number;
  /** In no order. A want that is missing was not come to, or the store would not tell: ask again. */
  uploads: BlobUpload[];
  config: ClientConfig;
  /** Present and true where the store takes no uploads from outside: send the bytes to this endpoint's relay. */
  relay?: true;
  /** Present and true where the receipts could not be taken: say them again. */
  retell?: true;
}

/** Body of a relay that was stored (200 for new bytes, 200 too when the object was already there). */
export interface BlobRelayResponse {
  v: typeof BLOB_PROTOCOL_VERSION;
  /** The endpoint's time, epoch milliseconds. */
  now: number;
  id: string;
  /** Where it lies, unless it was there already at another time's. For tools. */
  key: string;
  /** False when the blob was there already. */
  created: boolean;
}
