import type { HttpAnswer } from '../http.js';
import { printable } from '../printable.js';

/** Header values that go out without being asked about. @see https://fetch.spec.whatwg.org/#cors-safelisted-request-header */
const SAFE_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];
const SAFE_HEADERS = ['accept', 'accept-language', 'content-language'];

/** The names that a browser asks for in a preflight, as it writes them: in lower case, sorted, without spaces. */
export function namesToAsk(headers: Record<string, string>): string[] {
  return Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name, value]) => {
      if (name === 'content-type')
        return !SAFE_TYPES.includes(value.split(';', 1)[0]?.trim().toLowerCase() ?? '');
      return !SAFE_HEADERS.includes(name);
    })
    .map(([name]) => name)
    .sort();
}

/** The headers of a preflight. */
export function preflight(origin: string, method: string, names: readonly string[]): Record<string, string> {
  return {
    origin,
    'access-control-request-method': method,
    ...(names.length ? { 'access-control-request-headers': names.join(',') } : {}),
  };
}

/**
 * Why a browser would not let a page of `origin` read this answer, in words; undefined when it would.
 *
 * @see https://fetch.spec.whatwg.org/#cors-check
 */
export function unreadable({ headers }: HttpAnswer, origin: string): string | undefined {
  const allowed = headers['access-control-allow-origin'];
  if (allowed === undefined) return 'no Access-Control-Allow-Origin';
  if (allowed === '*' || allowed === origin) return undefined;
  return `Access-Control-Allow-Origin: ${printable(allowed)}`;
}

/**
 * Why a browser would not go on after this answer to a preflight, in words; undefined when it would.
 *
 * @see https://fetch.spec.whatwg.org/#cors-preflight-fetch
 */
export function refusedPreflight(
  answer: HttpAnswer,
  origin: string,
  method: string,
  names: readonly string[],
): string | undefined {
  const reason = unreadable(answer, origin);
  if (answer.status < 200 || answer.status > 299) {
    return `OPTIONS answers ${answer.status}${reason ? ` with ${reason}` : ''}`;
  }
  if (reason) return `OPTIONS answers with ${reason}`;
  const methods = listOf(answer.headers['access-control-allow-methods']);
  // GET, HEAD and POST need no permission.
  if (!methods.includes(method) && !methods.includes('*') && method !== 'POST') {
    return `Access-Control-Allow-Methods has no ${method}: ${printable(methods.join(', ')) || 'there is none'}`;
  }
  const allowed = listOf(answer.headers['access-control-allow-headers']).map((name) => name.toLowerCase());
  const missing = allowed.includes('*') ? [] : names.filter((name) => !allowed.includes(name));
  if (missing.length === 0) return undefined;
  return `Access-Control-Allow-Headers lacks ${missing.join(', ')}`;
}

export function listOf(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}
