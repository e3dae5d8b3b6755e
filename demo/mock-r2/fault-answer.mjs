/** R2's own words for a status. @see https://developers.cloudflare.com/r2/api/error-codes/ */
const R2_CODES = {
  400: 'InvalidRequest',
  401: 'Unauthorized',
  403: 'AccessDenied',
  404: 'NoSuchBucket',
  409: 'ConditionalRequestConflict',
  412: 'PreconditionFailed',
  413: 'EntityTooLarge',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/** The endpoint's words, `ErrorCode` of the protocol. */
const ENDPOINT_CODES = {
  400: 'malformed',
  401: 'unknown_project',
  403: 'forbidden_origin',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'too_large',
  429: 'rate_limited',
  500: 'internal',
};

/**
 * The answer that a `status` fault gives: XML as R2 words it, JSON as the endpoint does.
 *
 * @param {import('./faults.mjs').Target} target
 * @param {import('./faults.mjs').Status} fault
 * @returns {{ headers: Record<string, string>, body: string }}
 */
export function faultAnswer(target, fault) {
  const message = 'A fault was asked for.';
  const retry = fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
  const status = /** @type {keyof typeof R2_CODES & keyof typeof ENDPOINT_CODES} */ (fault.status);
  if (target === 'endpoint') {
    const code = fault.code ?? ENDPOINT_CODES[status] ?? 'storage_failed';
    return {
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...retry },
      body: JSON.stringify({ error: { code, message } }),
    };
  }
  const code = fault.code ?? R2_CODES[status] ?? 'InternalError';
  return {
    headers: { 'content-type': 'application/xml', ...retry },
    body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  };
}
