/**
 * OTLP attribute values as text. The input comes from a bucket that strangers write to: every shape is
 * possible, and none may throw.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/common/v1/common.proto
 */

/** Deeper values are cut: real attributes are flat, and a hostile one must not exhaust the stack. */
const MAX_DEPTH = 8;
/** Members of one array or map that are shown. */
const MAX_MEMBERS = 200;
/** Attributes kept of one span, event, link, scope or resource. */
const MAX_ATTRIBUTES = 2000;

/** @typedef {{ key: string, type: string, text: string }} Attribute `type` is `string`, `int`, `array`, … */

/** True for a JSON object, not for null or an array. @param {unknown} value @returns {value is Record<string, any>} */
export const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value when it is a string, else the fallback. */
export const asString = (value, fallback = '') => (typeof value === 'string' ? value : fallback);

/** The value when it is an array, else an empty one. */
export const asArray = (value) => (Array.isArray(value) ? value : []);

/** The value when it is a count (a whole number from 0), as number or decimal string, else 0. */
export const asCount = (value) => {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) && number >= 0 ? number : 0;
};

/**
 * Decodes one `AnyValue`.
 *
 * @returns {{ type: string, text: string }} `type` is `empty` for a value that holds none of the known members.
 */
export function decodeAnyValue(value, depth = 0) {
  if (depth > MAX_DEPTH) return { type: 'cut', text: '…' };
  if (!isRecord(value)) return { type: 'empty', text: '' };
  if (typeof value.stringValue === 'string') return { type: 'string', text: value.stringValue };
  if (typeof value.boolValue === 'boolean') return { type: 'bool', text: String(value.boolValue) };
  if (isNumeric(value.intValue)) return { type: 'int', text: String(value.intValue) };
  if (isNumeric(value.doubleValue)) return { type: 'double', text: String(value.doubleValue) };
  if (typeof value.bytesValue === 'string') return { type: 'bytes', text: value.bytesValue };
  if (isRecord(value.arrayValue)) {
    const members = asArray(value.arrayValue.values).slice(0, MAX_MEMBERS);
    return { type: 'array', text: `[${members.map((member) => nested(member, depth)).join(', ')}]` };
  }
  if (isRecord(value.kvlistValue)) {
    const members = asArray(value.kvlistValue.values).filter(isRecord).slice(0, MAX_MEMBERS);
    const pairs = members.map((pair) => `${asString(pair.key)}: ${nested(pair.value, depth)}`);
    return { type: 'map', text: `{${pairs.join(', ')}}` };
  }
  return { type: 'empty', text: '' };
}

/**
 * Decodes a list of `KeyValue`; what is no `KeyValue` is left out.
 *
 * @returns {Attribute[]} in the order of the input
 */
export function decodeAttributes(list) {
  return asArray(list)
    .slice(0, MAX_ATTRIBUTES)
    .filter((pair) => isRecord(pair) && typeof pair.key === 'string')
    .map((pair) => ({ key: pair.key, ...decodeAnyValue(pair.value) }));
}

/** The text of the first of `keys` that `attributes` holds, or `undefined`. */
export function findAttribute(attributes, ...keys) {
  for (const key of keys) {
    const found = attributes.find((attribute) => attribute.key === key);
    if (found !== undefined && found.text !== '') return found.text;
  }
  return undefined;
}

function nested(value, depth) {
  const { type, text } = decodeAnyValue(value, depth + 1);
  return type === 'string' ? JSON.stringify(text) : text;
}

// 64-bit integers are strings in OTLP/JSON, and so are NaN and Infinity.
function isNumeric(value) {
  return typeof value === 'number' || (typeof value === 'string' && value.length <= 64);
}
