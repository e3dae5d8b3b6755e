/**
 * Attributes of a payload, copied at once: apps go on to change their objects. Anybody's code may be behind a getter,
 * so each value is read once, and what throws is left out and counted.
 */
import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { REDACTED } from './sensitive.js';

/** Levels of objects and lists inside one payload. Also what ends a cycle. */
const MAX_DEPTH = 4;
/** Values looked at in one payload: shared nodes can make a small graph a huge tree. */
const MAX_VISITS = 1_024;
/** Items of one list of plain values; a longer one is left out. */
const MAX_ITEMS = 1_000;

export interface Read {
  attributes: Attributes;
  droppedAttributesCount: number;
}

export interface AttributeRules {
  readonly maxAttributes: number;
  isSensitive(name: string): boolean;
}

/** Without a class: nobody's elements, stores and proxies of frameworks. Those of other frames are plain as well. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

const isPrimitive = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** Of one kind, as OpenTelemetry wants them, gaps allowed. */
function listOf(items: readonly unknown[]): AttributeValue | undefined {
  const copy = Array.from(items);
  const first = copy.find((item) => item != null);
  const isList = isPrimitive(first) && copy.every((item) => item == null || typeof item === typeof first);
  return isList ? (copy.map((item) => item ?? null) as AttributeValue) : undefined;
}

/** Date, URL and Error, which are worth a text though they are no plain objects. */
function textOf(value: object): string | undefined {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof URL || value instanceof Error) return String(value);
  return undefined;
}

/**
 * The payload's own enumerable properties. Texts, numbers and booleans, and lists of one kind of them, are taken as
 * they are; BigInt, Date, URL and Error as text; what lies in plain objects and in other lists under dotted names
 * (`user.name`, `items.0.sku`). Null and undefined are nothing. Whatever else there is, is left out and counted:
 * functions, symbols, objects of classes, what is deeper than 4 levels, lists of over 1,000 values.
 *
 * Values under sensitive names, but for booleans, become `REDACTED`.
 *
 * @param without a name that is not read.
 * @throws what the payload throws when it is asked for its names.
 */
export function readAttributes(payload: object, rules: AttributeRules, without?: string): Read {
  const reading: Reading = { attributes: {}, droppedAttributesCount: 0, count: 0, visits: 0, rules };
  walk(reading, '', payload, 1, without);
  return reading;
}

/** How far it has got. */
interface Reading extends Read {
  count: number;
  visits: number;
  readonly rules: AttributeRules;
}

function walk(reading: Reading, prefix: string, owner: object, depth: number, without?: string): void {
  const keys = Object.keys(owner);
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as string;
    if (key === without) continue;
    if (reading.count >= reading.rules.maxAttributes || ++reading.visits > MAX_VISITS) {
      reading.droppedAttributesCount += keys.length - at;
      return;
    }
    try {
      take(reading, prefix ? prefix + key : key, key, (owner as Record<string, unknown>)[key], depth);
    } catch {
      reading.droppedAttributesCount++;
    }
  }
}

function take(reading: Reading, name: string, key: string, value: unknown, depth: number): void {
  if (value === undefined || value === null) return;
  if (typeof value === 'boolean') put(reading, name, value);
  else if (reading.rules.isSensitive(key)) put(reading, name, REDACTED);
  else if (isPrimitive(value)) put(reading, name, value);
  else if (typeof value === 'bigint') put(reading, name, String(value));
  else if (typeof value === 'object') takeObject(reading, name, value, depth);
  else reading.droppedAttributesCount++;
}

function takeObject(reading: Reading, name: string, value: object, depth: number): void {
  const isList = Array.isArray(value);
  const isTooLong = isList && value.length > MAX_ITEMS;
  const whole = isList ? (isTooLong ? undefined : listOf(value)) : textOf(value);
  if (whole !== undefined) put(reading, name, whole);
  else if (depth < MAX_DEPTH && !isTooLong && (isList || isPlain(value))) {
    walk(reading, `${name}.`, value, depth + 1);
  } else reading.droppedAttributesCount++;
}

function put(reading: Reading, name: string, value: AttributeValue): void {
  // Assigning to `__proto__` would do something else.
  if (name === '__proto__') reading.droppedAttributesCount++;
  else {
    reading.count++;
    reading.attributes[name] = value;
  }
}
