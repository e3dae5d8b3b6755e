/** Small checks that make larger ones. Each answers what is wrong: the path below, a space, and the words; no values. */
import { nameCountOf } from './json-names.js';

export interface ContentLimits {
  maxSpans: number;
  /** In one list. */
  maxAttributes: number;
  /** Events of a span; also its links. */
  maxEvents: number;
  /** UTF-16 units of any string. */
  maxTextLength: number;
  /** Arrays and maps within one another. */
  maxDepth: number;
}

export interface CheckState {
  limits: ContentLimits;
  spanCount: number;
  /** Names of members, those that went included. */
  nameCount: number;
  depth: number;
}

/** @returns undefined when nothing is wrong. */
export type Check = (value: unknown, state: CheckState) => string | undefined;

/**
 * A message by its fields. What is null goes, as it says nothing, and so do fields that are not known: receivers must
 * pass over them, and what was not looked at is not handed on.
 *
 * Some readers take a known name in any case or with underscores, and would see what was passed over here. Nobody
 * writes that by chance.
 */
export function message(fields: Record<string, Check>, required: readonly string[] = []): Check {
  const checks = new Map(Object.entries(fields));
  const spellings = new Map(Object.keys(fields).map((name) => [spelling(name), name]));
  return (value, state) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return ' is no object';
    const fieldsOf = value as Record<string, unknown>;
    const names = Object.keys(fieldsOf);
    if (names.length > checks.size + MAX_UNKNOWN_NAMES) return ` has ${names.length} fields`;
    state.nameCount += names.length;
    for (const name of names) {
      const check = checks.get(name);
      if (!check) {
        const meant = spellings.get(spelling(name));
        if (meant) return `.${meant} is spelled otherwise`;
        state.nameCount += nameCountOf(fieldsOf[name]);
        delete fieldsOf[name];
        continue;
      }
      const field = fieldsOf[name];
      if (field === null) {
        delete fieldsOf[name];
        continue;
      }
      const wrong = check(field, state);
      if (wrong) return `.${name}${wrong}`;
    }
    for (const name of required) if (!Object.hasOwn(fieldsOf, name)) return `.${name} is missing`;
    return undefined;
  };
}

/** The future will not have more; and to take a million from an object takes seconds. */
const MAX_UNKNOWN_NAMES = 100;

const spelling = (name: string): string => name.replaceAll('_', '').toLowerCase();

export function list(check: Check, maxOf?: (limits: ContentLimits) => number): Check {
  return (value, state) => {
    if (!Array.isArray(value)) return ' is no array';
    const most = maxOf?.(state.limits);
    if (most !== undefined && value.length > most) return ` has ${value.length} items; ${most} are taken`;
    for (let index = 0; index < value.length; index++) {
      const wrong = check(value[index], state);
      if (wrong) return `[${index}]${wrong}`;
    }
    return undefined;
  };
}

export const text: Check = (value, { limits }) => {
  if (typeof value !== 'string') return ' is no string';
  if (value.length > limits.maxTextLength) {
    return ` is ${value.length} characters long; ${limits.maxTextLength} are taken`;
  }
  return undefined;
};

export const boolean: Check = (value) => (typeof value === 'boolean' ? undefined : ' is no boolean');

const BASE64 = /^[\w+/-]*={0,2}$/;
export const base64: Check = (value, state) =>
  text(value, state) ?? (BASE64.test(value as string) ? undefined : ' is no base64');

const UINT32_MAX = 0xffff_ffff;
const DIGITS = /^\d{1,10}$/;
export const uint32: Check = (value) => {
  const number = typeof value === 'string' && DIGITS.test(value) ? Number(value) : value;
  return Number.isInteger(number) && (number as number) >= 0 && (number as number) <= UINT32_MAX
    ? undefined
    : ' is no 32-bit number';
};

/** OTLP/JSON has no names of enum values. */
export const enumUpTo =
  (last: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= last
      ? undefined
      : ` is no integer from 0 to ${last}`;

/** A number that JSON has, but no double holds exactly, was somebody else before it was read. */
const isExact = (value: unknown): boolean => Number.isSafeInteger(value);

const INT64 = /^-?\d{1,19}$/;
const INT64_MAX = 2n ** 63n - 1n;
export const int64: Check = (value) => {
  if (isExact(value)) return undefined;
  if (typeof value !== 'string' || !INT64.test(value)) return ' is no 64-bit integer';
  // Eighteen digits and a sign always fit.
  if (value.length < 19) return undefined;
  const integer = BigInt(value);
  return integer <= INT64_MAX && integer >= -INT64_MAX - 1n ? undefined : ' is no 64-bit integer';
};

const FIXED64 = /^\d{1,20}$/;
const FIXED64_MAX = 2n ** 64n - 1n;
export const nanos: Check = (value) => {
  if (typeof value === 'string' && FIXED64.test(value)) {
    return value.length < 20 || BigInt(value) <= FIXED64_MAX ? undefined : ' is no time';
  }
  return isExact(value) && (value as number) >= 0 ? undefined : ' is no time';
};

const DOUBLE = /^(?:NaN|-?Infinity|-?\d{1,400}(?:\.\d{1,400})?(?:e[+-]?\d{1,3})?)$/i;
export const double: Check = (value) =>
  typeof value === 'string'
    ? DOUBLE.test(value)
      ? undefined
      : ' is no number'
    : Number.isFinite(value)
      ? undefined
      : ' is no number';
