import type { IngestContext, RateLimitAnswer } from './ingest-options.js';
import { functionOption, inWords, optionError } from './option-check.js';
import { isObject } from './untrusted-body.js';

/** A binding of `ratelimits`. */
export interface RateLimitBinding {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

/** Options of `workersRateLimit`. */
export interface WorkersRateLimitOptions {
  /**
   * Whom a request counts for. Default: the project with the visitor's address, else with the page. Behind one
   * address there may be a whole office, and a page names itself: leave room for the first, and do not trust the
   * second.
   */
  key?: (request: Request, context: IngestContext) => string;
  /** The binding's `period`, seconds: refused clients come again after it. Default 60. */
  periodSeconds?: 10 | 60;
}

/**
 * A `rateLimit` for `createIngest`, by the binding of Cloudflare Workers. It counts for each location alone and not
 * exactly: it takes off the peak, and a quota does the sum.
 *
 * @throws {TypeError} naming the option, when one is unusable.
 * @see https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/
 */
export function workersRateLimit(
  binding: RateLimitBinding,
  options: WorkersRateLimitOptions = {},
): (request: Request, context: IngestContext) => Promise<RateLimitAnswer> {
  if (!isObject(binding) || typeof binding.limit !== 'function') {
    throw optionError('binding', inWords(binding), 'a binding of ratelimits');
  }
  const keyOf = functionOption('key', options.key) ?? defaultKey;
  const { periodSeconds = 60 } = options;
  if (periodSeconds !== 10 && periodSeconds !== 60) {
    throw optionError('periodSeconds', inWords(periodSeconds), '10 or 60');
  }
  return async (request, context) => {
    const { success } = await binding.limit({ key: keyOf(request, context) });
    return success || { retryAfterSeconds: periodSeconds };
  };
}

function defaultKey(request: Request, { project, page }: IngestContext): string {
  return `${project} ${request.headers.get('cf-connecting-ip') ?? page ?? ''}`;
}
