/**
 * The CORS rules of a bucket, applied as R2 applies them. Miniflare has none of its own to configure: it lets
 * every loopback origin in and answers PutBucketCors with 501, so its CORS headers are dropped and these count.
 *
 * @typedef {object} CorsRule
 * @property {string[]} AllowedOrigins Exact origins, or `*`.
 * @property {string[]} AllowedMethods
 * @property {string[]} [AllowedHeaders] Compared without case. `*` is not understood, as it is unreliable on R2.
 * @property {string[]} [ExposeHeaders]
 * @property {number} [MaxAgeSeconds]
 *
 * @see https://developers.cloudflare.com/r2/buckets/cors/
 */

/** @param {string | string[] | undefined} list */
const names = (list) =>
  String(list ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter(Boolean);

/** @param {CorsRule} rule @param {string} origin @param {string} method */
const matches = (rule, origin, method) =>
  (rule.AllowedOrigins.includes(origin) || rule.AllowedOrigins.includes('*')) &&
  rule.AllowedMethods.includes(method);

/** @param {CorsRule} rule @param {string} origin */
const allowOrigin = (rule, origin) => ({
  'access-control-allow-origin': rule.AllowedOrigins.includes(origin) ? origin : '*',
  vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
});

/**
 * Is this a preflight?
 *
 * @param {{ method?: string | undefined, headers: import('node:http').IncomingHttpHeaders }} request
 */
export const isPreflight = ({ method, headers }) =>
  method === 'OPTIONS' && headers.origin !== undefined && 'access-control-request-method' in headers;

/**
 * Answers a preflight: the first rule that allows origin, method and every header asked for.
 *
 * @param {CorsRule[]} rules
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @returns {Record<string, string> | undefined} Headers of the 204; undefined when it is refused (403).
 */
export function preflightHeaders(rules, headers) {
  const origin = headers.origin ?? '';
  const method = String(headers['access-control-request-method']);
  const wanted = names(headers['access-control-request-headers']);
  const rule = rules.find(
    (rule) =>
      matches(rule, origin, method) &&
      wanted.every((name) => names(rule.AllowedHeaders?.join()).includes(name)),
  );
  if (!rule) return undefined;
  return {
    ...allowOrigin(rule, origin),
    'access-control-allow-methods': rule.AllowedMethods.join(', '),
    ...(wanted.length > 0 && { 'access-control-allow-headers': wanted.join(', ') }),
    ...(rule.MaxAgeSeconds !== undefined && { 'access-control-max-age': String(rule.MaxAgeSeconds) }),
  };
}

/**
 * Headers for the answer to an actual request; empty when it has no origin or no rule matches. The request is
 * carried out all the same, as in any S3: CORS guards the answer and not the object.
 *
 * @param {CorsRule[]} rules
 * @param {string | undefined} origin
 * @param {string} method
 * @returns {Record<string, string>}
 */
export function answerHeaders(rules, origin, method) {
  const rule = origin === undefined ? undefined : rules.find((rule) => matches(rule, origin, method));
  if (!rule || origin === undefined) return {};
  return {
    ...allowOrigin(rule, origin),
    ...(rule.ExposeHeaders?.length && { 'access-control-expose-headers': rule.ExposeHeaders.join(', ') }),
  };
}
