import { inWords, optionError } from './option-check.js';

/**
 * Whose pages may call: exact origins (`https://shop.example`), `*` for all, or a function that is asked with the
 * value of `Origin`. The endpoint's own origin may always.
 */
export type AllowedOrigins = '*' | readonly string[] | ((origin: string) => boolean);

/** Whether a request comes from where it may come from. */
export type OriginRule = (request: Request) => boolean;

/**
 * Browsers put `Origin` on every POST, so a request without one comes from a program. It passes where all may,
 * or where `allowMissing` says so.
 *
 * @throws {TypeError} naming `option`, when `allowed` is nothing of the kind.
 */
export function createOriginRule(option: string, allowed: AllowedOrigins, allowMissing: boolean): OriginRule {
  const isAllowed = matcher(option, allowed);
  return (request) => {
    const origin = request.headers.get('origin');
    if (origin === null) return allowMissing || allowed === '*';
    return isSameOrigin(request, origin) || isAllowed(origin);
  };
}

function matcher(option: string, allowed: AllowedOrigins): (origin: string) => boolean {
  if (allowed === '*') return () => true;
  if (typeof allowed === 'function') return (origin) => allowed(origin) === true;
  if (!Array.isArray(allowed)) {
    throw optionError(option, inWords(allowed), '"*", an array of origins or a function');
  }
  for (const origin of allowed) {
    if (typeof origin !== 'string' || !URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw optionError(
        option,
        inWords(origin),
        'origins such as "https://shop.example", without path or slash',
      );
    }
  }
  const origins: ReadonlySet<string> = new Set(allowed);
  return (origin) => origins.has(origin);
}

/**
 * A page with `Referrer-Policy: no-referrer` sends its beacons with `Origin: null`, even home. `Sec-Fetch-Site`
 * tells these apart, and no page can set it.
 *
 * @see https://fetch.spec.whatwg.org/#append-a-request-origin-header
 */
function isSameOrigin(request: Request, origin: string): boolean {
  return (
    origin === new URL(request.url).origin ||
    (origin === 'null' && request.headers.get('sec-fetch-site') === 'same-origin')
  );
}

/**
 * Lets the page that sent `request` read the answer, and a preflight pass.
 *
 * Credentials are never allowed: nothing here reads a cookie. `sendBeacon` does send them, but a beacon whose
 * type needs no preflight is not subject to CORS, and its answer is read by nobody.
 *
 * @see https://w3c.github.io/beacon/#sec-processing-model
 */
export function allowOrigin(request: Request, headers: Headers): void {
  const origin = request.headers.get('origin');
  if (origin === null) return;
  headers.set('access-control-allow-origin', origin);
  if (request.method === 'OPTIONS') {
    headers.set('access-control-allow-methods', 'POST');
    headers.set('access-control-allow-headers', 'content-type');
    headers.set('access-control-max-age', '86400');
  } else {
    headers.set('access-control-expose-headers', 'Retry-After');
  }
}
