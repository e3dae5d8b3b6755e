/**
 * The common messages of OTLP/JSON as text: AnyValue, KeyValue, and the fields `attributes` and
 * `droppedAttributesCount` that most messages have. Part of stage 2.
 *
 * Written by hand rather than by `JSON.stringify` over a copy of the span: encoding runs in strangers' pages, and
 * 1,000 browser spans become bytes in about 7 ms where `JsonTraceSerializer` takes 11 to 14 (Chromium 156; 7 and
 * 10 in Node 20).
 *
 * OTLP 1.11.0, `opentelemetry/proto/common/v1/common.proto`.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */

import { jsonOf } from '../json.js';
import { hide, isStrict, type Rule, ruleOf } from './encode-redact.js';

/** Levels of lists and maps inside one attribute. Also what ends a cycle. */
const MAX_DEPTH = 32;

/**
 * Characters of JSON that lists and maps inside one attribute may come to. Depth alone does not bound a graph
 * whose nodes are shared: 32 levels of two references to the same next node are 4 thousand million values.
 */
const MAX_NESTED_CHARS = 1_048_576;

/** A page uses a few dozen names. Beyond this many a cache starts anew, so that generated names cannot fill it. */
const MAX_REMEMBERED = 500;

/** Anything but the characters that JSON takes as they are: the quote, the backslash and the controls. */
const NEEDS_ESCAPE = /[^ !#-[\]-\uffff]/;

/**
 * A JSON string. A lone surrogate never becomes an escape, which some readers refuse: left raw, it turns into
 * U+FFFD when the text becomes UTF-8; where `JSON.stringify` would escape it, it is replaced first.
 *
 * @throws where the page has replaced `JSON.stringify` by something that answers no text.
 */
export function quote(text: string): string {
  return NEEDS_ESCAPE.test(text) ? jsonOf(wellFormed(text)).trim() : `"${text}"`;
}

/** The same, and what a rule of redaction looks for. One look at each text is enough, as most have neither. */
const NEEDS_CARE = /[^ !$'-:=>A-[\]-\uffff]/;

/** A JSON string of what the rule leaves of a text. */
function quoteBy(rule: Rule, text: string): string {
  return NEEDS_CARE.test(text) || isStrict(rule) ? quote(rule(text)) : `"${text}"`;
}

/** The text with U+FFFD for every lone surrogate; `String.prototype.toWellFormed` is younger than our target. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** A count as uint32, whatever a foreign span holds: what is not a positive number is 0. */
export function uint32(count: number | undefined): number {
  return count && count > 0 ? count >>> 0 : 0;
}

/**
 * The fields `"attributes"` and `"droppedAttributesCount"`, each with a comma before it, left out when empty.
 *
 * Values: strings, booleans; whole numbers within ±2^53 as `intValue`, all others (-0 too) as `doubleValue`;
 * BigInt as `intValue`, or as `stringValue` beyond int64; `Uint8Array` as `bytesValue`; lists; dates as ISO texts;
 * what else has a `toJSON` of its own (URL) as what that returns; other objects as maps of their own enumerable properties; null,
 * and undefined inside a list or map, as the empty value.
 *
 * What has no OTLP form (functions, symbols, undefined), nests deeper than 32 (every cycle does) or holds
 * nested values longer than 1 MiB: its attribute is left out, whole, and counted.
 *
 * @param redaction - whether what is written is redacted, by {@link ruleOf}.
 * @throws whatever a getter or `toJSON` throws.
 */
export function attributeFields(
  attributes: object | undefined,
  alreadyDropped: number | undefined,
  redaction: boolean,
): string {
  let pairs = '';
  let dropped = uint32(alreadyDropped);
  if (attributes) {
    for (const key of Object.keys(attributes)) {
      const { prefix, rule } = nameOf(key);
      const value = anyValue((attributes as Record<string, unknown>)[key], redaction ? rule : undefined);
      if (value === undefined) dropped++;
      else pairs += `${pairs && ','}${prefix}${value}}`;
    }
  }
  return (pairs && `,"attributes":[${pairs}]`) + (dropped > 0 ? `,"droppedAttributesCount":${dropped}` : '');
}

/**
 * KeyValue up to its value, and what becomes of the value.
 *
 * | # | field | type |
 * | - | --- | --- |
 * | 1 | key | string |
 * | 2 | value | AnyValue |
 */
const nameOf = /* @__PURE__ */ remembered((key) => ({
  // Joined, not added: engines keep a sum of strings as a tree, which every later use would walk.
  prefix: ['{"key":', quote(key), ',"value":'].join(''),
  rule: ruleOf(key),
}));

/** A function that makes each text's result once and then remembers it: for names, of which there are few. */
export function remembered<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    let made = known.get(text);
    if (made === undefined) {
      if (known.size >= MAX_REMEMBERED) known.clear();
      made = make(text);
      known.set(text, made);
    }
    return made;
  };
}

/** How far the lists and maps of one attribute may still go. */
interface Nesting {
  depth: number;
  charsLeft: number;
}

const PLAIN: { toJSON?: unknown } = Object.prototype;
const isoOf = Date.prototype.toISOString;

type Composite = { [key: string | number]: unknown; toJSON?: unknown };

/**
 * AnyValue, or undefined where there is none.
 *
 * | # | field | type | JSON |
 * | - | --- | --- | --- |
 * | 1 | stringValue | string | string |
 * | 2 | boolValue | bool | boolean |
 * | 3 | intValue | int64 | decimal string |
 * | 4 | doubleValue | double | number, or "NaN", "Infinity", "-Infinity" |
 * | 5 | arrayValue | ArrayValue | `{values: AnyValue[]}` |
 * | 6 | kvlistValue | KeyValueList | `{values: KeyValue[]}` |
 * | 7 | bytesValue | bytes | base64 |
 */
function anyValue(value: unknown, rule: Rule | undefined, nesting?: Nesting): string | undefined {
  if (rule === hide && value !== undefined && value !== null && typeof value !== 'boolean') value = '';
  switch (typeof value) {
    case 'string':
      return `{"stringValue":${rule ? quoteBy(rule, value) : quote(value)}}`;
    case 'number':
      return numberValue(value);
    case 'boolean':
      return value ? '{"boolValue":true}' : '{"boolValue":false}';
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? `{"intValue":"${value}"}` : `{"stringValue":"${value}"}`;
    case 'object':
      return value === null
        ? '{}'
        : objectValue(value, rule, nesting ?? { depth: 0, charsLeft: MAX_NESTED_CHARS });
    default:
      return undefined;
  }
}

function numberValue(value: number): string {
  if (Object.is(value, -0)) return '{"doubleValue":-0}';
  if (Number.isSafeInteger(value)) return `{"intValue":"${value}"}`;
  return Number.isFinite(value) ? `{"doubleValue":${value}}` : `{"doubleValue":"${value}"}`;
}

function objectValue(value: object, rule: Rule | undefined, nesting: Nesting): string | undefined {
  if (++nesting.depth > MAX_DEPTH) return undefined;
  const json = compositeValue(value as Composite, rule, nesting);
  nesting.depth--;
  return json;
}

function compositeValue(value: Composite, rule: Rule | undefined, nesting: Nesting): string | undefined {
  if (value instanceof Uint8Array) return `{"bytesValue":"${base64(value)}"}`;
  if (value instanceof Date) return anyValue(Number.isNaN(+value) ? null : isoOf.call(value), rule, nesting);
  // Of what is plain it is no word of its own, but a library's, and makes a text of a list.
  const isOwn = typeof value.toJSON === 'function' && value.toJSON !== PLAIN.toJSON && !Array.isArray(value);
  if (isOwn) return anyValue((value.toJSON as () => unknown)(), rule, nesting);
  let values = '';
  const isList = Array.isArray(value);
  const keys = isList ? undefined : Object.keys(value);
  const count = isList ? value.length : (keys?.length ?? 0);
  for (let index = 0; index < count; index++) {
    const key = keys?.[index];
    const item = value[key ?? index];
    const { charsLeft } = nesting;
    const name = key === undefined ? undefined : nameOf(key);
    const json = item === undefined ? '{}' : anyValue(item, rule && (name?.rule ?? rule), nesting);
    if (json === undefined) return undefined;
    const element = name ? `${name.prefix}${json}}` : json;
    // What the item itself counted on its way is part of its length.
    nesting.charsLeft = charsLeft - element.length;
    if (nesting.charsLeft < 0) return undefined;
    values += values && ',';
    values += element;
  }
  return isList ? `{"arrayValue":{"values":[${values}]}}` : `{"kvlistValue":{"values":[${values}]}}`;
}

function base64(bytes: Uint8Array): string {
  // One character at a time: spreading a long array into String.fromCharCode overflows the stack.
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
