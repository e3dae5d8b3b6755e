/**
 * OTLP protobuf into the tree that OTLP/JSON would be, by the field numbers of the `.proto` files (OTLP 1.11.0) and by
 * no code that any writer shares. For tests only.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
import type { Tree } from './encoding.js';

type Type =
  | 'text'
  | 'hex'
  | 'base64'
  | 'bool'
  | 'uint32'
  | 'int64'
  | 'fixed64'
  | 'fixed32'
  | 'double'
  | keyof typeof MESSAGES;
/** By field number: name, type, and whether there may be several. */
type Message = Record<number, readonly [string, Type, 'many'?]>;

const MESSAGES = {
  Request: { 1: ['resourceSpans', 'ResourceSpans', 'many'] },
  LogsRequest: { 1: ['resourceLogs', 'ResourceLogs', 'many'] },
  ResourceLogs: {
    1: ['resource', 'Resource'],
    2: ['scopeLogs', 'ScopeLogs', 'many'],
    3: ['schemaUrl', 'text'],
  },
  ScopeLogs: { 1: ['scope', 'Scope'], 2: ['logRecords', 'LogRecord', 'many'], 3: ['schemaUrl', 'text'] },
  LogRecord: {
    1: ['timeUnixNano', 'fixed64'],
    11: ['observedTimeUnixNano', 'fixed64'],
    2: ['severityNumber', 'uint32'],
    3: ['severityText', 'text'],
    5: ['body', 'AnyValue'],
    6: ['attributes', 'KeyValue', 'many'],
    7: ['droppedAttributesCount', 'uint32'],
    8: ['flags', 'fixed32'],
    9: ['traceId', 'hex'],
    10: ['spanId', 'hex'],
    12: ['eventName', 'text'],
  },
  ResourceSpans: {
    1: ['resource', 'Resource'],
    2: ['scopeSpans', 'ScopeSpans', 'many'],
    3: ['schemaUrl', 'text'],
  },
  Resource: {
    1: ['attributes', 'KeyValue', 'many'],
    2: ['droppedAttributesCount', 'uint32'],
    3: ['entityRefs', 'EntityRef', 'many'],
  },
  EntityRef: {
    1: ['schemaUrl', 'text'],
    2: ['type', 'text'],
    3: ['idKeys', 'text', 'many'],
    4: ['descriptionKeys', 'text', 'many'],
  },
  ScopeSpans: { 1: ['scope', 'Scope'], 2: ['spans', 'Span', 'many'], 3: ['schemaUrl', 'text'] },
  Scope: {
    1: ['name', 'text'],
    2: ['version', 'text'],
    3: ['attributes', 'KeyValue', 'many'],
    4: ['droppedAttributesCount', 'uint32'],
  },
  Span: {
    1: ['traceId', 'hex'],
    2: ['spanId', 'hex'],
    3: ['traceState', 'text'],
    4: ['parentSpanId', 'hex'],
    5: ['name', 'text'],
    6: ['kind', 'uint32'],
    7: ['startTimeUnixNano', 'fixed64'],
    8: ['endTimeUnixNano', 'fixed64'],
    9: ['attributes', 'KeyValue', 'many'],
    10: ['droppedAttributesCount', 'uint32'],
    11: ['events', 'Event', 'many'],
    12: ['droppedEventsCount', 'uint32'],
    13: ['links', 'Link', 'many'],
    14: ['droppedLinksCount', 'uint32'],
    15: ['status', 'Status'],
    16: ['flags', 'fixed32'],
  },
  Event: {
    1: ['timeUnixNano', 'fixed64'],
    2: ['name', 'text'],
    3: ['attributes', 'KeyValue', 'many'],
    4: ['droppedAttributesCount', 'uint32'],
  },
  Link: {
    1: ['traceId', 'hex'],
    2: ['spanId', 'hex'],
    3: ['traceState', 'text'],
    4: ['attributes', 'KeyValue', 'many'],
    5: ['droppedAttributesCount', 'uint32'],
    6: ['flags', 'fixed32'],
  },
  Status: { 2: ['message', 'text'], 3: ['code', 'uint32'] },
  KeyValue: { 1: ['key', 'text'], 2: ['value', 'AnyValue'] },
  AnyValue: {
    1: ['stringValue', 'text'],
    2: ['boolValue', 'bool'],
    3: ['intValue', 'int64'],
    4: ['doubleValue', 'double'],
    5: ['arrayValue', 'ArrayValue'],
    6: ['kvlistValue', 'KeyValueList'],
    7: ['bytesValue', 'base64'],
  },
  ArrayValue: { 1: ['values', 'AnyValue', 'many'] },
  KeyValueList: { 1: ['values', 'KeyValue', 'many'] },
} as const satisfies Record<string, Record<number, readonly [string, string, 'many'?]>>;

/** By type; all others have a length. */
const WIRES: Record<string, number> = { bool: 0, uint32: 0, int64: 0, fixed64: 1, double: 1, fixed32: 5 };

type RequestName = 'Request' | 'LogsRequest';

/** @throws {Error} on what the table does not know. */
export function decodeRequest(bytes: Uint8Array, name: RequestName = 'Request'): Tree {
  return decode(Buffer.from(bytes), name) as Tree;
}

/** The other way about: a tree of OTLP/JSON as protobuf. What the table does not know is left out. */
export function encodeRequest(tree: object, name: RequestName = 'Request'): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encode(tree as Record<string, unknown>, name));
}

function encode(tree: Record<string, unknown>, name: keyof typeof MESSAGES): Buffer {
  const parts: Buffer[] = [];
  for (const [number, [key, type]] of Object.entries(MESSAGES[name] as Message)) {
    if (tree[key] === undefined) continue;
    for (const value of Array.isArray(tree[key]) ? (tree[key] as unknown[]) : [tree[key]]) {
      const content = contentOf(value, type);
      const wire = WIRES[type as string] ?? 2;
      parts.push(varintOf(Number(number) * 8 + wire));
      if (wire === 2) parts.push(varintOf(content.length));
      parts.push(content);
    }
  }
  return Buffer.concat(parts);
}

function contentOf(value: unknown, type: Type): Buffer {
  const bytes = Buffer.alloc(8);
  switch (type) {
    case 'text':
      return Buffer.from(value as string);
    case 'hex':
    case 'base64':
      return Buffer.from(value as string, type);
    case 'bool':
      return varintOf(value ? 1 : 0);
    case 'uint32':
    case 'int64':
      return varintOf(BigInt(value as string));
    case 'fixed32':
      bytes.writeUInt32LE(Number(value));
      return bytes.subarray(0, 4);
    case 'fixed64':
      bytes.writeBigUInt64LE(BigInt(value as string));
      return bytes;
    case 'double':
      bytes.writeDoubleLE(Number(value));
      return bytes;
  }
  return encode(value as Record<string, unknown>, type);
}

export function varintOf(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left >= 128n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return Buffer.from([...bytes, Number(left)]);
}

function decode(bytes: Buffer, name: keyof typeof MESSAGES): unknown {
  const message: Message = MESSAGES[name];
  // A list without elements leaves no trace.
  const lists = Object.values(message).filter(([, , many]) => many);
  const tree: Record<string, unknown> = Object.fromEntries(lists.map(([key]) => [key, []]));
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (count: number): Buffer => {
    if (at + count > bytes.length) throw new Error(`${name} is cut off`);
    at += count;
    return bytes.subarray(at - count, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    const field = message[tag >> 3];
    if (!field) throw new Error(`${name} has no field ${tag >> 3}`);
    const [key, type, many] = field;
    const value = valueOfWire(wire, type, varint, take);
    if (many) tree[key] = [...(tree[key] as unknown[]), value];
    else if (key in tree) throw new Error(`${name}.${key} is there twice`);
    else tree[key] = value;
  }
  return tree;
}

function valueOfWire(
  wire: number,
  type: Type,
  varint: () => bigint,
  take: (count: number) => Buffer,
): unknown {
  const expected = WIRES[type as string] ?? 2;
  if (wire !== expected) throw new Error(`wire type ${wire} for ${type}`);
  switch (type) {
    case 'bool':
      return varint() === 1n;
    case 'uint32':
      return Number(varint());
    case 'int64':
      return String(BigInt.asIntN(64, varint()));
    case 'fixed64':
      return String(take(8).readBigUInt64LE());
    case 'fixed32':
      return take(4).readUInt32LE();
    case 'double': {
      const number = take(8).readDoubleLE();
      return Number.isFinite(number) ? number : String(number);
    }
  }
  const content = take(Number(varint()));
  if (type === 'text') return new TextDecoder('utf-8', { fatal: true }).decode(content);
  if (type === 'hex' || type === 'base64') return content.toString(type);
  return decode(content, type);
}
