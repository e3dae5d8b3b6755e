import { parseObjectKey, type Signal } from '../object-key.js';
import { uuidV7Millis } from '../server/uuid.js';
import {
  type AnyValueJson,
  type AttributedJson,
  itemsOf,
  type KeyValueJson,
  type RequestJson,
  resourcesOf,
  type SpanJson,
  scopesOf,
} from '../wire/otlp-json.js';
import { check } from './option-check.js';

/** What the server knows of an object, beside what is in it. */
export interface StampContext {
  key: string;
  /** From the key, as is the rest; absent where the key is laid out otherwise. */
  project?: string;
  environment?: string;
  signal?: Signal;
  /** UUID of the object. */
  id?: string;
  /** When the server made the key, epoch milliseconds. */
  receivedAtMillis?: number;
}

type Primitive = string | number | boolean;
/** Attributes by their names. Whole numbers become integers. */
export type StampAttributes = Record<string, Primitive | readonly Primitive[]>;

/**
 * True stamps what the key says; attributes come on top, the same for all or from a function of the object. False sends
 * what clients said, and nothing else.
 */
export type Stamp =
  | boolean
  | { attributes: StampAttributes }
  | ((object: StampContext) => StampAttributes | Promise<StampAttributes>);

/** Names that begin so are the server's. What clients say under them goes. */
export const RESERVED_PREFIX = 'spandrel.ingest.';
/** On a span whose times were not to be believed. */
export const TIME_CLAMPED: string = `${RESERVED_PREFIX}time_clamped`;

/** What the key says. */
export function contextOf(key: string): StampContext {
  const parsed = parseObjectKey(key);
  if (!parsed) return { key };
  const receivedAtMillis = uuidV7Millis(parsed.id);
  return { key, ...parsed, ...(receivedAtMillis === undefined ? {} : { receivedAtMillis }) };
}

/** @throws {TypeError} when it is none of those. */
export function checkStamp(stamp: unknown = true): Stamp {
  const takes = 'true, false, { attributes }, or a function that gives attributes';
  if (typeof stamp === 'boolean' || typeof stamp === 'function') return stamp as Stamp;
  const { attributes } = (stamp ?? {}) as { attributes?: unknown };
  if (typeof attributes !== 'object' || attributes === null) check.refuse('stamp', stamp, takes);
  try {
    keyValues(attributes as StampAttributes);
  } catch (error) {
    check.refuse('stamp', attributes, (error as Error).message);
  }
  return { attributes: attributes as StampAttributes };
}

/**
 * The attributes of one object.
 *
 * @throws {TypeError} when the function gives something else than attributes; also whatever it throws.
 */
export async function stampOf(
  stamp: Exclude<Stamp, boolean> | true,
  object: StampContext,
): Promise<KeyValueJson[]> {
  const { project, environment, id, receivedAtMillis } = object;
  const known: StampAttributes = {};
  if (project !== undefined) known[`${RESERVED_PREFIX}project`] = project;
  if (environment !== undefined) known[`${RESERVED_PREFIX}environment`] = environment;
  if (id !== undefined) known[`${RESERVED_PREFIX}object_id`] = id;
  if (receivedAtMillis !== undefined) {
    known[`${RESERVED_PREFIX}received_at`] = new Date(receivedAtMillis).toISOString();
  }
  const given =
    typeof stamp === 'function' ? await stamp({ ...object }) : stamp === true ? {} : stamp.attributes;
  if (typeof given !== 'object' || given === null)
    throw new TypeError('the stamp is no object of attributes');
  return keyValues({ ...known, ...given });
}

function keyValues(attributes: StampAttributes): KeyValueJson[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(key, value) }));
}

function anyValue(key: string, value: StampAttributes[string]): AnyValueJson {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Number.isSafeInteger(value)) return { intValue: String(value) };
  if (Number.isFinite(value)) return { doubleValue: value as number };
  if (Array.isArray(value)) return { arrayValue: { values: value.map((item) => anyValue(key, item)) } };
  throw new TypeError(`strings, finite numbers, booleans and arrays of them; "${key.slice(0, 80)}" is none`);
}

/**
 * Puts `attributes` on every resource, and takes their names and all that begin with {@link RESERVED_PREFIX} from
 * whatever a client has put them on.
 */
export function applyStamp(request: RequestJson, attributes: KeyValueJson[]): void {
  const names = new Set(attributes.map(({ key }) => key));
  const isReserved = ({ key = '' }: KeyValueJson): boolean =>
    key.startsWith(RESERVED_PREFIX) || names.has(key);
  const strip = (holder: AttributedJson): void => {
    if (holder.attributes?.some(isReserved)) {
      holder.attributes = holder.attributes.filter((attribute) => !isReserved(attribute));
    }
  };
  for (const ofResource of resourcesOf(request)) {
    ofResource.resource ??= {};
    strip(ofResource.resource);
    ofResource.resource.attributes = [...(ofResource.resource.attributes ?? []), ...attributes];
    for (const ofScope of scopesOf(ofResource)) {
      if (ofScope.scope) strip(ofScope.scope);
      for (const item of itemsOf(ofScope)) {
        strip(item);
        const { events = [], links = [] } = item as Partial<SpanJson>;
        for (const inside of [...events, ...links]) strip(inside);
      }
    }
  }
}
