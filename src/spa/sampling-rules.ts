/** The server's sampling rules: checked, compared, and kept for the next page, whose first trace obeys them too. */

import type { Attributes } from '@opentelemetry/api';
import { parseJson, toJson } from '../json.js';
import type { Notes, Platform } from '../platform/platform.js';
import { MAX_RULES, type SamplingRule } from '../protocol.js';

/** What the rules say of a trace. */
export interface Verdict {
  isWon: boolean;
  /** Of the rule that was won. */
  id: string | number | undefined;
  /** The chance that it had: the greatest rate of those that match, as one that is lost goes on to the next. */
  probability: number;
}

export interface Rules {
  /** Undefined while there are no rules. */
  verdict(traceId: string, attributes: Attributes): Verdict | undefined;
  /** Takes what the endpoint said, in place of all before. */
  take(rules: unknown): void;
  /** True once an hour after the endpoint was last heard: whoever asks is to ask it. */
  isDue(): boolean;
  readonly count: number;
  readonly badCount: number;
}

export interface RulesDeps {
  platform: Pick<Platform, 'now'>;
  /** Undefined while nothing may be kept. */
  notes(): Notes | undefined;
  /** Names the endpoint. */
  place: string;
}

/** What is not sampled brings no answer of the endpoint's: such a page asks now and then. */
const DUE_MILLIS = 3_600_000;
/** More than an endpoint of ours ever sends. */
const MAX_CHARS = 20_000;

const isPlain = (value: unknown): boolean =>
  value !== '' && ['string', 'number', 'boolean'].includes(typeof value);

function isRule(rule: Partial<SamplingRule> | null): rule is SamplingRule {
  const { id, match, rate } = rule ?? {};
  const values = Object.values(Object(match));
  const isMatch = typeof match === 'object' && values.length > 0 && values.every(isPlain);
  return (
    isMatch && ['string', 'number'].includes(typeof id) && typeof rate === 'number' && rate > 0 && rate <= 1
  );
}

export function createRules({ platform, notes, place }: RulesDeps): Rules {
  const name = `spandrel-1 rules ${place}`;
  let rules: { id: string | number; rate: number; match: [string, unknown][] }[] = [];
  let heardAtMillis = 0;
  let badCount = 0;

  const use = (given: unknown): void => {
    const list: (SamplingRule | null)[] = Array.isArray(given) ? given : [];
    rules = list
      .slice(0, MAX_RULES)
      .filter(isRule)
      .map(({ id, rate, match }) => ({ id, rate, match: Object.entries(match) }));
    badCount = list.length - rules.length;
  };

  try {
    // Anybody on this origin may have written it.
    const { at, rules: kept } = parseJson(notes()?.get(name) ?? '{}');
    heardAtMillis = Number(at) || 0;
    use(kept);
  } catch {
    // No note is as good as a bad one.
  }

  return {
    verdict(traceId, attributes) {
      if (!rules.length) return undefined;
      const ratio = Number.parseInt(traceId.slice(16), 16) / 2 ** 64;
      const matching = rules.filter(({ match }) => match.every(([key, value]) => attributes[key] === value));
      const won = matching.find(({ rate }) => ratio < rate);
      return {
        isWon: won !== undefined,
        id: won?.id,
        probability: Math.max(0, ...matching.map(({ rate }) => rate)),
      };
    },
    take(given) {
      use(given);
      heardAtMillis = platform.now();
      const text = toJson({ at: heardAtMillis, rules: given });
      if (text.length <= MAX_CHARS) notes()?.set(name, text);
      else notes()?.delete(name);
    },
    isDue() {
      const now = platform.now();
      // A clock that was set back must not mean silence.
      const isDue = Math.abs(now - heardAtMillis) > DUE_MILLIS;
      if (isDue) heardAtMillis = now;
      return isDue;
    },
    get count() {
      return rules.length;
    },
    get badCount() {
      return badCount;
    },
  };
}
