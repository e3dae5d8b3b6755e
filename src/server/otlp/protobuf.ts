/** Reads OTLP's protobuf as the tree that OTLP/JSON would be. What is not known is passed over. */
import { FREE_CONTAINERS } from '../json-scan.js';
import type { Field, Message, Scalar } from './messages.js';

type Tree = Record<string, unknown>;

/** Deeper than any request: arrays and maps of attributes take three levels each. */
const MAX_DEPTH = 100;
/** Bytes for each message beyond the first few; of attributes whose names have a letter it is 5, of all else 15 and more. */
const BYTES_PER_MESSAGE = 5;

/** How the bytes of a field are laid out. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

const WIRES: Record<Scalar, number> = {
  ...{ bool: VARINT, int64: VARINT, int32: VARINT, uint32: VARINT },
  ...{ fixed64: FIXED64, double: FIXED64, fixed32: FIXED32 },
  ...{ text: LENGTH, hex: LENGTH, base64: LENGTH },
};

/**
 * Depth and number of messages are bounded, so that a tree takes no more memory than its length lets expect.
 *
 * @returns undefined when `bytes` are no such message: cut off, laid out otherwise, or past a bound.
 */
export function readMessage(bytes: Uint8Array, message: Message): Tree | undefined {
  const reader = createReader(bytes);
  try {
    return reader.message(message, bytes.length, 0, {});
  } catch (error) {
    if (error === NOT_ONE) return undefined;
    throw error;
  }
}

const NOT_ONE = Symbol('no such message');

function createReader(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let left = FREE_CONTAINERS + bytes.length / BYTES_PER_MESSAGE;

  /** Moves on by `count` bytes, of which the first is answered. */
  const skip = (count: number, end: number): number => {
    const from = at;
    if (count > end - from) throw NOT_ONE;
    at += count;
    return from;
  };

  /** Unsigned, exact below 2^53; {@link wide} is for all of it. */
  const varint = (end: number): number => {
    let value = 0;
    for (let power = 1; power <= 2 ** 63; power *= 128) {
      const byte = bytes[skip(1, end)] as number;
      value += (byte & 0x7f) * power;
      if (byte < 0x80) return value;
    }
    throw NOT_ONE;
  };
  const wide = (end: number): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[skip(1, end)] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw NOT_ONE;
  };
  /** Most are small, and BigInts take ten times as long. */
  const signed = (end: number): number | bigint => {
    const from = at;
    const value = varint(end);
    if (value < Number.MAX_SAFE_INTEGER) return value;
    at = from;
    return wide(end);
  };
  const bytesOf = (end: number): Uint8Array => {
    const length = varint(end);
    const from = skip(length, end);
    return bytes.subarray(from, from + length);
  };

  const read: Record<Scalar, (end: number) => unknown> = {
    text: (end) => textOf(bytesOf(end)),
    hex: (end) => hexOf(bytesOf(end)),
    base64: (end) => base64Of(bytesOf(end)),
    bool: (end) => varint(end) !== 0,
    int64: (end) => String(signed(end)),
    int32: (end) => Number(signed(end)),
    uint32: (end) => varint(end) % 2 ** 32,
    fixed64: (end) => String(view.getBigUint64(skip(8, end), true)),
    fixed32: (end) => view.getUint32(skip(4, end), true),
    double: (end) => doubleOf(view.getFloat64(skip(8, end), true)),
  };

  const passOver = (wire: number, end: number): void => {
    if (wire === VARINT) varint(end);
    else if (wire === FIXED64) skip(8, end);
    else if (wire === LENGTH) skip(varint(end), end);
    else if (wire === FIXED32) skip(4, end);
    // Groups, which are no more.
    else throw NOT_ONE;
  };

  const fieldOf = ({ name, of, isList }: Field, tree: Tree, end: number, depth: number): void => {
    let value: unknown;
    if (typeof of === 'string') value = read[of](end);
    else {
      const length = varint(end);
      if (length > end - at) throw NOT_ONE;
      // A message that comes in parts is one.
      const begun = isList ? undefined : tree[name];
      value = message(of, at + length, depth + 1, (begun ?? {}) as Tree);
    }
    if (!isList) tree[name] = value;
    else if (tree[name] === undefined) tree[name] = [value];
    else (tree[name] as unknown[]).push(value);
  };

  function message({ fields, isOneOf }: Message, end: number, depth: number, tree: Tree): Tree {
    if (depth > MAX_DEPTH || --left < 0) throw NOT_ONE;
    while (at < end) {
      const tag = varint(end);
      const [number, wire] = [Math.floor(tag / 8), tag % 8];
      if (number === 0) throw NOT_ONE;
      const field = fields[number];
      if (!field) {
        passOver(wire, end);
        continue;
      }
      if (wire !== (typeof field.of === 'string' ? WIRES[field.of] : LENGTH)) throw NOT_ONE;
      if (isOneOf) for (const name of Object.keys(tree)) if (name !== field.name) delete tree[name];
      fieldOf(field, tree, end, depth);
    }
    return tree;
  }

  return { message };
}

/** Longer ones are faster by the platform. */
const SHORT_TEXT_BYTES = 40;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** What is no UTF-8 becomes U+FFFD: a span is worth more than a letter of it. */
function textOf(bytes: Uint8Array): string {
  if (bytes.length > SHORT_TEXT_BYTES) return decoder.decode(bytes);
  let text = '';
  for (const byte of bytes) {
    if (byte >= 0x80) return decoder.decode(bytes);
    text += String.fromCharCode(byte);
  }
  return text;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** As many as `fromCharCode` takes at a time, and a multiple of three. */
const BASE64_BYTES = 0x6000;

function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (let from = 0; from < bytes.length; from += BASE64_BYTES)
    text += btoa(String.fromCharCode(...bytes.subarray(from, from + BASE64_BYTES)));
  return text;
}

/** JSON has no words for some of them. */
function doubleOf(value: number): number | string {
  return Number.isFinite(value) && !Object.is(value, -0)
    ? value
    : Object.is(value, -0)
      ? '-0'
      : String(value);
}
