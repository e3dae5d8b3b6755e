import type { Signal } from '../../object-key.js';
import type { Check, CheckState, ContentLimits } from '../../wire/check-json.js';
import { CHECKS } from '../../wire/check-otlp.js';
import {
  type ItemJson,
  type OfResourceJson,
  type OfScopeJson,
  type RequestJson,
  SIGNALS,
} from '../../wire/otlp-json.js';

/** What is left of a request. */
export interface Sifted {
  request: RequestJson;
  /** Those that were kept, in their order. */
  items: ItemJson[];
  rejectedCount: number;
  /** What is wrong with the first that was rejected: its path and the words, no values. */
  message: string | undefined;
}

/** What `forward` and the engines behind it take unless they are told otherwise. */
const LIMITS: ContentLimits = {
  ...{ maxSpans: 50_000, maxAttributes: 1_024, maxEvents: 1_024, maxTextLength: 131_072, maxDepth: 16 },
};

/**
 * Keeps the items that every reader of the bucket takes, by the check that `forward` has. One that is wrong costs no
 * other anything; a resource or scope that is wrong costs all its items. Unknown fields go. In place.
 */
export function sift(request: Record<string, unknown>, signal: Signal): Sifted {
  const { resources, scopes, items: name } = SIGNALS[signal];
  const checks = CHECKS[signal];
  const state: CheckState = { limits: LIMITS, spanCount: 0, nameCount: 0, depth: 0 };
  const items: ItemJson[] = [];
  let rejectedCount = 0;
  let message: string | undefined;
  const isGood = (check: Check, value: unknown, path: string, countOf: () => number): boolean => {
    state.depth = 0;
    const wrong = check(value, state);
    if (wrong === undefined) return true;
    rejectedCount += countOf();
    message ??= `${path}${wrong}`.slice(0, MAX_MESSAGE_LENGTH);
    return false;
  };

  const keptOf = <T>(list: unknown, check: Check, path: string, countOf: (value: unknown) => number): T[] =>
    listOf(list).filter((value, index) =>
      isGood(check, value, `${path}[${index}]`, () => countOf(value)),
    ) as T[];
  const inScope = (scope: unknown): number => listOf(fieldOf(scope, name)).length;
  const inResource = (resource: unknown): number =>
    listOf(fieldOf(resource, scopes)).reduce<number>((sum, scope) => sum + inScope(scope), 0);

  const path = `$.${resources}`;
  const kept = keptOf<OfResourceJson>(request[resources], checks.ofResource, path, inResource);
  for (const ofResource of kept) {
    const ofScopes = keptOf<OfScopeJson>(ofResource[scopes], checks.ofScope, `${path}[].${scopes}`, inScope);
    for (const ofScope of ofScopes) {
      const good = keptOf<ItemJson>(ofScope[name], checks.item, `${path}[].${scopes}[].${name}`, () => 1);
      for (const item of good) items.push(item);
      Object.assign(ofScope, { [name]: good });
    }
    Object.assign(ofResource, { [scopes]: ofScopes.filter((ofScope) => inScope(ofScope) > 0) });
  }
  const filled = kept.filter((ofResource) => inResource(ofResource) > 0);
  return { request: { [resources]: filled }, items, rejectedCount, message };
}

const MAX_MESSAGE_LENGTH = 300;

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
