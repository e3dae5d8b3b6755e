/**
 * The common messages of OTLP/JSON as text: AnyValue, KeyValue, and the fields `attributes` and
 * `droppedAttributesCount` that most messages have. Part of stage 2.
 *
 * Written by hand rather than by `JSON.stringify` over a copy of the span: encoding runs in strangers' pages, and that
 * takes three times as long (Node 20), for no fewer bytes of ours.
 *
 * OTLP 1.11.0, `opentelemetry/proto/common/v1/common.proto`.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
import { jsonOf } from '../json.js';
import { hide, type Rule, ruleOf } from './encode-redact.js';

/** Levels of lists and maps inside one attribute. Also what ends a cycle. */
const MAX_DEPTH = 32;

/**
 * Characters of JSON that lists and maps inside one attribute may come to. Depth alone does not bound a graph
 * whose nodes are shared: 32 levels of two references to the same next node are 4 thousand million values.
 */
const MAX_NESTED_CHARS = 1_048_576;

/** A page uses a few dozen names. Beyond this many the cache starts anew, so that generated names cannot fill it. */
const MAX_REMEMBERED = 500;

/** Anything but the characters that JSON takes as they are: the quote, the backslash and the controls. */
const NEEDS_ESCAPE = /[^ !#-[\]-\uffff]/;

/**
 * A JSON string. A lone surrogate never becomes an escape, which some readers refuse: left raw, it turns into
 * U+FFFD when the text becomes UTF-8; where `JSON.stringify` would escape it, it is replaced first, as
 * `String.prototype.toWellFormed`, which is younger than our target, would do it.
 *
 * @throws where the page has replaced `JSON.stringify` by something that answers no text.
 */
export const quote = (text: string): string =>
  NEEDS_ESCAPE.test(text) ? jsonOf(text.replace(/\p{Surrogate}/gu, '\ufffd')).trim() : `"${text}"`;

/** A field with a comma before it, left out when empty or 0. */
export const field = (name: string, json: string | number | undefined): string =>
  json ? `,"${name}":${json}` : '';

/**
 * A list and the count of what is not in it, as a foreign span has it and with what `write` gives nothing of; each with a
 * comma before it, left out when empty.
 */
export function listFields<T>(
  name: string,
  items: readonly T[],
  write: (item: T) => string | undefined,
  droppedName: string,
  alreadyDropped: number | undefined,
): string {
  let list = '';
  let dropped = alreadyDropped && alreadyDropped > 0 ? alreadyDropped >>> 0 : 0;
  for (const item of items) {
    const json = write(item);
    if (json === undefined) dropped++;
    else list += list ? `,${json}` : json;
  }
  return field(name, list && `[${list}]`) + field(droppedName, dropped);
}

/**
 * The fields `"attributes"` and `"droppedAttributesCount"`, each with a comma before it, left out when empty.
 *
 * Values: strings, booleans; whole numbers within ±2^53 as `intValue`, all others (-0 too) as `doubleValue`;
 * BigInt as `intValue`, or as `stringValue` beyond int64; `Uint8Array` as `bytesValue`; lists; dates as ISO texts;
 * what else has a `toJSON` of its own (URL) as what that returns; other objects as maps of their own enumerable
 * properties; null, and undefined inside a list or map, as the empty value.
 *
 * What has no OTLP form (functions, symbols, undefined), nests deeper than 32 (every cycle does) or holds
 * nested values longer than 1 MiB: its attribute is left out, whole, and counted.
 *
 * @param redaction - whether what is written is redacted, by {@link ruleOf}.
 * @throws whatever a getter or `toJSON` throws.
 */
export const attributeFields = (
  attributes: object = {},
  alreadyDropped: number | undefined,
  redaction: boolean,
): string =>
  listFields(
    'attributes',
    Object.keys(attributes),
    (key) => {
      const { prefix, rule } = nameOf(key);
      const value = anyValue((attributes as Record<string, unknown>)[key], redaction ? rule : undefined);
      return value && `${prefix}${value}}`;
    },
    'droppedAttributesCount',
    alreadyDropped,
  );

interface Name {
  /** KeyValue (key (1), value (2)) up to its value. */
  prefix: string;
  /** What becomes of the value. */
  rule: Rule;
}
const names = /* @__PURE__ */ new Map<string, Name>();

function nameOf(key: string): Name {
  let name = names.get(key);
  if (!name) {
    if (names.size >= MAX_REMEMBERED) names.clear();
    // Joined, not added: engines keep a sum of strings as a tree, which every later use would walk.
    name = { prefix: ['{"key":', quote(key), ',"value":'].join(''), rule: ruleOf(key) };
    names.set(key, name);
  }
  return name;
}

/** How far the lists and maps of one attribute may still go. */
interface Nesting {
  depth: number;
  charsLeft: number;
}

const PLAIN: { toJSON?: unknown } = Object.prototype;

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
export function anyValue(value: unknown, rule: Rule | undefined, nesting?: Nesting): string | undefined {
  if (rule === hide && value !== undefined && value !== null && typeof value !== 'boolean') value = '';
  switch (typeof value) {
    case 'string':
      return `{"stringValue":${quote(rule ? rule(value) : value)}}`;
    case 'number':
      if (Object.is(value, -0)) return '{"doubleValue":-0}';
      if (Number.isSafeInteger(value)) return `{"intValue":"${value}"}`;
      return `{"doubleValue":${Number.isFinite(value) ? value : `"${value}"`}}`;
    case 'boolean':
      return `{"boolValue":${value}}`;
    case 'bigint':
      return `{"${BigInt.asIntN(64, value) === value ? 'int' : 'string'}Value":"${value}"}`;
    case 'object':
      return value ? objectValue(value, rule, nesting ?? { depth: 0, charsLeft: MAX_NESTED_CHARS }) : '{}';
    default:
      return undefined;
  }
}

function objectValue(value: object, rule: Rule | undefined, nesting: Nesting): string | undefined {
  if (nesting.depth >= MAX_DEPTH) return undefined;
  nesting.depth++;
  const json = compositeValue(value as Composite, rule, nesting);
  nesting.depth--;
  return json;
}

function compositeValue(value: Composite, rule: Rule | undefined, nesting: Nesting): string | undefined {
  if (value instanceof Uint8Array) return `{"bytesValue":"${base64(value)}"}`;
  // Not by `toJSON`, which libraries of old replace.
  if (value instanceof Date) {
    return anyValue(Number.isNaN(+value) ? null : value.toISOString(), rule, nesting);
  }
  const isList = Array.isArray(value);
  // Of what is plain it is no word of its own, but a library's, and makes a text of a list.
  if (typeof value.toJSON === 'function' && value.toJSON !== PLAIN.toJSON && !isList) {
    return anyValue(value.toJSON(), rule, nesting);
  }
  let values = '';
  for (const key of isList ? value.keys() : Object.keys(value)) {
    const name = isList ? undefined : nameOf(key as string);
    const item = value[key];
    const { charsLeft } = nesting;
    const json = item === undefined ? '{}' : anyValue(item, rule && (name?.rule ?? rule), nesting);
    if (!json) return undefined;
    const element = name ? `${name.prefix}${json}}` : json;
    // What the item itself counted on its way is part of its length.
    nesting.charsLeft = charsLeft - element.length;
    if (nesting.charsLeft < 0) return undefined;
    values += values ? `,${element}` : element;
  }
  return `{"${isList ? 'array' : 'kvlist'}Value":{"values":[${values}]}}`;
}

function base64(bytes: Uint8Array): string {
  // One character at a time: spreading a long array into String.fromCharCode overflows the stack.
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
