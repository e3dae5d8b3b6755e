import { inWords, optionError } from './option-check.js';

/**
 * Whose pages may call: exact origins (`https://shop.example`) and all subdomains of one (`https://*.shop.example`,
 * at any depth, without `shop.example` itself), `*` for all, or a function that is asked with the value of `Origin`
 * and answers true. The endpoint's own origin may always.
 *
 * Scheme and port must be equal too. Write origins as browsers do: lower case, punycode, no default port.
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
  const origins = new Set<string>();
  const families: { scheme: string; suffix: string }[] = [];
  for (const origin of allowed) {
    const [scheme, suffix] = typeof origin === 'string' ? origin.split('//*.') : [];
    const exact = suffix === undefined ? origin : `${scheme}//${suffix}`;
    if (!isOrigin(exact) || (suffix !== undefined && !FAMILY.test(suffix))) {
      throw optionError(option, inWords(origin), takes(exact, suffix));
    }
    if (suffix === undefined) origins.add(origin);
    else families.push({ scheme: `${scheme}//`, suffix: `.${suffix}` });
  }
  return (origin) =>
    origins.has(origin) || families.some(({ scheme, suffix }) => isOfFamily(origin, scheme, suffix));
}

/** A name of two labels at least: nobody is all of `.com`. That `.co.uk` is nobody's either cannot be told here. */
const FAMILY = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*(:\d+)?$/;
const SUBDOMAIN = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

function isOrigin(value: unknown): value is string {
  // To URLs a star is a letter like others.
  return (
    typeof value === 'string' &&
    !value.includes('*') &&
    URL.canParse(value) &&
    new URL(value).origin === value
  );
}

function isOfFamily(origin: string, scheme: string, suffix: string): boolean {
  return (
    origin.startsWith(scheme) &&
    origin.endsWith(suffix) &&
    SUBDOMAIN.test(origin.slice(scheme.length, origin.length - suffix.length))
  );
}

/** What a list takes, in the spelling of what was given where that can be told. */
function takes(given: unknown, suffix: string | undefined): string {
  const spelt = typeof given === 'string' && URL.canParse(given) ? new URL(given).origin : 'null';
  if (spelt !== 'null' && spelt !== given && suffix === undefined && !spelt.includes('*'))
    return `"${spelt}", as browsers write it`;
  return 'origins such as "https://shop.example" or "https://*.shop.example", without path or slash';
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
    // Whatever its page has been told to send along, for a proxy in front of us or for `rateLimit`.
    const asked = request.headers.get('access-control-request-headers');
    headers.set('access-control-allow-headers', asked || 'content-type');
    headers.set('access-control-max-age', '86400');
  } else {
    headers.set('access-control-expose-headers', 'Retry-After, Server-Timing');
    headers.set('timing-allow-origin', origin);
  }
}
