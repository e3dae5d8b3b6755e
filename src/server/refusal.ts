import type { ErrorCode } from '../protocol.js';

/** What pages are told, and what only senders of OTLP are: no key of the operator's, an encoding that is not taken. */
export type RefusalCode = ErrorCode | 'bad_key' | 'unsupported_type';

export const HTTP_STATUS: Record<RefusalCode, number> = {
  malformed: 400,
  bad_token: 400,
  bad_key: 401,
  unknown_project: 401,
  forbidden_origin: 403,
  not_found: 404,
  method_not_allowed: 405,
  too_slow: 408,
  too_large: 413,
  unsupported_type: 415,
  rate_limited: 429,
  internal: 500,
  storage_failed: 502,
};

/**
 * An answer that is not 2xx, on its way out. Thrown from wherever a request is found wanting and caught at one
 * door, because checks nest deeply and none of their callers has anything to add.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  /** Headers beside those of every answer. */
  readonly headers: Record<string, string>;

  /** @param message for the client; never with a secret, a URL or a stack in it. */
  constructor(code: RefusalCode, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

/** Writes a JSON answer onto `headers`, which it takes over. */
export function jsonResponse(status: number, body: unknown, headers: Headers): Response {
  headers.set('content-type', 'application/json');
  return new Response(JSON.stringify(body), { status, headers });
}

/** Writes an `ErrorResponse` onto `headers`, which it takes over. */
export function refusalResponse(refusal: Refusal, headers: Headers): Response {
  for (const [name, value] of Object.entries(refusal.headers)) headers.set(name, value);
  const body = { error: { code: refusal.code, message: refusal.message } };
  return jsonResponse(HTTP_STATUS[refusal.code], body, headers);
}
