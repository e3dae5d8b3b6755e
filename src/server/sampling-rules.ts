import { MAX_RULES, type SamplingRule } from '../protocol.js';
import { isObject } from './untrusted-body.js';

/** Together they go into each answer, and each client keeps them: a few KiB do, and 16 Ki characters are all it takes. */
const MAX_CHARS = 16_384;

/**
 * Those of an operator's rules that clients can use, in their order.
 *
 * @param report told of each that is left out.
 */
export function usableRules(rules: unknown, report: (error: TypeError) => void): SamplingRule[] {
  if (rules === undefined) return [];
  const given: unknown[] = Array.isArray(rules) ? rules : [rules];
  const usable: SamplingRule[] = [];
  let chars = 0;
  for (const [index, rule] of given.entries()) {
    const { id, match, rate } = isObject(rule) ? (rule as unknown as SamplingRule) : ({} as SamplingRule);
    let fault = faultOf(id, match, rate);
    chars += fault ? 0 : JSON.stringify({ id, match, rate }).length;
    if (usable.length >= MAX_RULES || chars > MAX_CHARS)
      fault ??= `there are ${MAX_RULES} at most, and 16 KiB`;
    if (fault) report(new TypeError(`spandrel/server: config: rule ${index}: ${fault}`));
    else usable.push({ id, match, rate });
  }
  return usable;
}

function faultOf(id: unknown, match: unknown, rate: unknown): string | undefined {
  if (id === '' || !['string', 'number'].includes(typeof id)) return 'id takes a string or a number';
  const values = isObject(match) ? Object.values(match) : [];
  const isGood = (value: unknown): boolean =>
    value !== '' && ['string', 'number', 'boolean'].includes(typeof value);
  if (!values.length || !values.every(isGood)) return 'match takes attributes, at least one';
  return typeof rate === 'number' && rate > 0 && rate <= 1
    ? undefined
    : 'rate takes a number above 0, at most 1';
}
