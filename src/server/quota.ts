/** How much may be handed out: the options, the contract with a store of counters, and what one request takes. */
import { within } from './deadline.js';
import { reportError } from './hooks.js';
import type { IngestContext, IngestOptions } from './ingest-options.js';
import { createMac } from './mac.js';
import { functionOption, integerOption, inWords, optionError } from './option-check.js';
import { isObject } from './untrusted-body.js';

/** Most of each within one window, 0 to 2^53 - 1. What is absent is not bounded. */
export interface QuotaLimits {
  /**
   * Objects that uploads were issued for, blobs that were looked for, and relays without a token. By protocol 1 a key
   * counts once, however often renewed.
   */
  objects?: number;
  /** Lengths that were signed, fresh or again, see `maxUploadBytes`. Where no length is signed, nothing is counted. */
  bytes?: number;
  /** Gzip bytes that the endpoint itself put into the store. */
  relayedBytes?: number;
}

/** Option `quota` of `createIngest`. */
export interface QuotaOptions {
  /** Who counts: `memoryQuota()`, `durableObjectQuota()`, or anything of that shape. */
  store: QuotaStore;
  /** Seconds, 10 to 2,678,400. Default 3,600. A window begins with the first that is taken from it. */
  windowSeconds?: number;
  /** For each load of a page. It names itself, so this stops pages that run wild, and nobody who means it. */
  perPage?: Pick<QuotaLimits, 'objects' | 'bytes'>;
  /** For each project: what an hour of everybody together may cost. */
  perProject?: QuotaLimits;
  /**
   * For each of whatever `of` names: an address, a tenant, a user. What it returns is kept as a MAC only. Undefined
   * counts for nobody. When it throws, or takes too long, it is as if the store had failed.
   */
  perSubject?: QuotaLimits & {
    of: (request: Request, context: IngestContext) => string | undefined | Promise<string | undefined>;
  };
  /**
   * What happens while the store fails. `refuse`: no uploads and no relays, and clients keep what they have and come
   * again. `allow`: no bound. Default `refuse`, because whoever wants to be rid of a bound begins by
   * overloading what counts, and because clients wait for days without losing anything.
   */
  onFailure?: 'refuse' | 'allow';
  /** How long the store may take, milliseconds, 1 to 10,000. Default 1,000. */
  timeoutMillis?: number;
}

/** What is counted. */
export interface QuotaCost {
  objects: number;
  bytes: number;
  relayedBytes: number;
}

/** One counter of each kind, under one name. */
export interface QuotaBudget {
  /** `project`, `page {uuid}` or `subject {mac}`; at most 60 characters. */
  name: string;
  limits: QuotaLimits;
}

/** One request to a store. Plain data: it may travel as JSON. */
export interface QuotaTake {
  /** All budgets are of this project, so a store may keep each project's somewhere else. */
  project: string;
  windowSeconds: number;
  budgets: QuotaBudget[];
  /**
   * Each is taken from every budget, or from none: what one budget refuses is charged to no other. One that does not
   * fit makes room for a smaller one after it.
   */
  wanted: QuotaCost[];
}

export interface QuotaAnswer {
  /** For each of `wanted`, whether it was taken. */
  granted: boolean[];
  /** Seconds until the window ends of a budget that something did not fit into; 0 when all was taken. */
  retryAfterSeconds: number;
}

/**
 * Counters with a window. A take must be atomic: however many run at once, no more is granted than there is.
 *
 * May reject; see `onFailure`.
 */
export interface QuotaStore {
  take(take: QuotaTake): Promise<QuotaAnswer>;
}

/** How a request fared. `failed`: the store did, and `onFailure` has decided. */
export type QuotaOutcome = 'granted' | 'reduced' | 'refused' | 'failed';

/** {@link QuotaOptions}, checked and made ready. */
export interface Quota {
  /** Never rejects: failures go to `onError`. */
  take(
    request: Request,
    context: IngestContext,
    wanted: QuotaCost[],
  ): Promise<QuotaAnswer & { outcome: QuotaOutcome }>;
}

export const NO_COST: QuotaCost = { objects: 0, bytes: 0, relayedBytes: 0 };
/** How soon clients ask again when the counters cannot be had. */
const FAILED_RETRY_SECONDS = 30;
const KINDS = ['objects', 'bytes', 'relayedBytes'] as const;
/** Characters of a subject that are looked at. */
const MAX_SUBJECT_CHARS = 1_024;

/** @throws {TypeError} naming the option, when one is unusable. */
export function createQuota(
  options: QuotaOptions | undefined,
  { secret, hooks }: { secret: string; hooks: Pick<IngestOptions, 'onError'> },
): Quota | undefined {
  if (options === undefined) return undefined;
  if (!isObject(options)) throw optionError('quota', inWords(options), 'an object with a store');
  const { store, perPage, perProject, perSubject, onFailure = 'refuse' } = options;
  if (!isObject(store) || typeof store.take !== 'function') {
    throw optionError(
      'quota.store',
      inWords(store),
      'memoryQuota(), durableObjectQuota() or an object with take',
    );
  }
  if (onFailure !== 'refuse' && onFailure !== 'allow') {
    throw optionError('quota.onFailure', inWords(onFailure), '"refuse" or "allow"');
  }
  const windowSeconds = integerOption('quota.windowSeconds', options.windowSeconds ?? 3_600, 10, 31 * 86_400);
  const timeoutMillis = integerOption('quota.timeoutMillis', options.timeoutMillis ?? 1_000, 1, 10_000);
  const limits = {
    page: limitsOption('quota.perPage', perPage),
    project: limitsOption('quota.perProject', perProject),
    subject: limitsOption('quota.perSubject', perSubject),
  };
  if (perPage && 'relayedBytes' in perPage) {
    throw optionError('quota.perPage', 'relayedBytes', 'objects and bytes: a relay does not say its page');
  }
  if (perSubject && functionOption('quota.perSubject.of', perSubject.of) === undefined) {
    throw optionError('quota.perSubject.of', 'undefined', 'a function');
  }
  if (!limits.page && !limits.project && !limits.subject) {
    throw optionError('quota', 'no limit', 'perPage, perProject or perSubject');
  }
  const mac = createMac(secret, 'spandrel quota 1');

  const budgetsOf = async (request: Request, context: IngestContext): Promise<QuotaBudget[]> => {
    const budgets: QuotaBudget[] = [];
    if (limits.project) budgets.push({ name: 'project', limits: limits.project });
    if (limits.page && context.page !== undefined) {
      budgets.push({ name: `page ${context.page}`, limits: limits.page });
    }
    const subject = limits.subject && (await perSubject?.of(request, context));
    if (limits.subject && subject !== undefined) {
      const bits = await mac.sign(String(subject).slice(0, MAX_SUBJECT_CHARS));
      const hex = Array.from(bits.slice(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
      budgets.push({ name: `subject ${hex}`, limits: limits.subject });
    }
    return budgets;
  };

  return {
    async take(request, context, wanted) {
      try {
        const answer = await within(timeoutMillis, 'quota', async () => {
          const budgets = await budgetsOf(request, context);
          if (budgets.length === 0) return { granted: wanted.map(() => true), retryAfterSeconds: 0 };
          return store.take({ project: context.project, windowSeconds, budgets, wanted });
        });
        const granted = wanted.map((_, index) => answer.granted[index] === true);
        const outcome = outcomeOf(granted);
        return { granted, outcome, retryAfterSeconds: Number(answer.retryAfterSeconds) || 0 };
      } catch (error) {
        reportError(error, hooks);
        const granted = wanted.map(() => onFailure === 'allow');
        return { granted, outcome: 'failed', retryAfterSeconds: FAILED_RETRY_SECONDS };
      }
    },
  };
}

function outcomeOf(granted: boolean[]): QuotaOutcome {
  if (!granted.includes(false)) return 'granted';
  return granted.includes(true) ? 'reduced' : 'refused';
}

/** Undefined where nothing is bounded. */
function limitsOption(option: string, given: QuotaLimits | undefined): QuotaLimits | undefined {
  if (given === undefined) return undefined;
  if (!isObject(given)) throw optionError(option, inWords(given), 'an object of limits');
  const limits: QuotaLimits = {};
  for (const kind of KINDS) {
    const limit = given[kind];
    if (limit !== undefined)
      limits[kind] = integerOption(`${option}.${kind}`, limit, 0, Number.MAX_SAFE_INTEGER);
  }
  if (Object.keys(limits).length === 0) throw optionError(option, 'no limit', KINDS.join(', '));
  return limits;
}
