/**
 * Who and what the spans of a page are about: the user, attributes of the app's, feature flags. They are put on a span as
 * it **ends**: a user who becomes known late still marks the load that is on. What a span says itself stays.
 *
 * | said by         | becomes                                                           | on          |
 * | --------------- | ----------------------------------------------------------------- | ----------- |
 * | `setUser`       | `user.id`, and `user.{name}` for each other field                 | every span  |
 * | `setAttributes` | attributes under the names given                                  | every span  |
 * | `setFlag`       | an event `feature_flag.evaluation`, with the flag and its variant | local roots |
 *
 * The conventions know flags as events, one for each evaluation, and as no attributes of spans. A page asks for the
 * same few flags again and again, and whoever reads its traces wants to know under which variants each ran. One event a
 * flag and trace says that, and costs no other span anything. Its time is the root's start.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/user/
 * @see https://opentelemetry.io/docs/specs/semconv/feature-flags/feature-flags-events/
 */
import type { Attributes, AttributeValue, Span } from '@opentelemetry/api';
import { refuse } from '../options.js';
import type { ContextAttributes, User } from '../page-options.js';
import type { ReadableSpan } from '../pipeline/span.js';
import { hexOf } from '../platform/uuid.js';
import { isValue } from '../sdk/tracer-provider.js';

/** Of each kind. A span has room for 128 attributes and as many events. */
const MAX_COUNT = 64;
const NAME = /^.{1,200}$/s;
const MAX_CHARACTERS = 1_024;

/** What is known. */
export interface ContextValues {
  /** Under `user.{name}`. Undefined while nobody has said anything of it. */
  user: Attributes | undefined;
  attributes: Attributes;
  /** Variants. */
  flags: Attributes;
}

/** See `Spandrel`. */
export interface ContextSetters {
  setUser(user: User | null): void;
  setAttributes(attributes: ContextAttributes | null): void;
  setFlag(name: string, variant: string | number | boolean | null): void;
}

export interface PageContext {
  readonly values: ContextValues;
  readonly setters: ContextSetters;
  /** For the tracer provider: a span is about to end. */
  onEnding(span: Span): void;
  /** Forgets everything. */
  clear(): void;
}

/** Texts are cut; a list that is as long is none of an attribute. */
const isFit = (value: unknown): boolean =>
  isValue(value) && (typeof value === 'string' || `${value}`.length <= MAX_CHARACTERS);
/** Lists are copied by the way. */
const cut = (value: unknown): AttributeValue =>
  (value as string).slice?.(0, MAX_CHARACTERS) ?? (value as AttributeValue);

/** What there was, with what `given` adds and without what is null in it; nothing, where it is null. @throws {TypeError} */
function joined(
  option: keyof ContextValues,
  before: Attributes,
  given: ContextAttributes | null,
  prefix = '',
): Attributes {
  const all = Object.entries({ ...(given && before), ...given }).filter(([, value]) => value != null);
  if (
    typeof given !== 'object' ||
    all.length > MAX_COUNT ||
    !all.every(([name, value]) => NAME.test(name) && isFit(value))
  ) {
    refuse(option, given, `up to ${MAX_COUNT} strings, numbers, booleans and lists, by name`);
  }
  return Object.fromEntries(all.map(([name, value]) => [prefix + name, cut(value)]));
}

/** @param guard runs each call. What it catches has changed nothing: a `TypeError` that names what was refused. */
export function createPageContext(guard: (task: () => void) => void): PageContext {
  const values = {} as ContextValues;
  const clear = (): void => void Object.assign(values, { user: undefined, attributes: {}, flags: {} });
  clear();
  return {
    ...{ values, clear },
    setters: {
      setUser: (given) =>
        guard(() => {
          const { 'user.id': id, 'user.hash': hash, ...user } = joined('user', {}, given, 'user.');
          values.user = user;
          if (!hash && id) user['user.id'] = `${id}`;
          // Who has come meanwhile has other fields, and these are nobody's.
          else if (id) {
            crypto.subtle?.digest('SHA-256', new TextEncoder().encode(`${id}`)).then(
              (digest) => {
                user['user.id'] = hexOf(new Uint8Array(digest));
              },
              () => {},
            );
          }
        }),
      setAttributes: (given) =>
        guard(() => {
          values.attributes = joined('attributes', values.attributes, given);
        }),
      setFlag: (name, variant) =>
        guard(() => {
          values.flags = joined('flags', values.flags, { [name]: variant });
        }),
    },
    onEnding: (span) =>
      guard(() => {
        const { attributes, parentSpanContext, startTime } = span as unknown as ReadableSpan;
        for (const [name, value] of Object.entries({ ...values.attributes, ...values.user })) {
          attributes[name] ?? span.setAttribute(name, value as AttributeValue);
        }
        if (parentSpanContext && !parentSpanContext.isRemote) return;
        for (const [key, variant] of Object.entries(values.flags)) {
          const evaluation = { 'feature_flag.key': key, 'feature_flag.result.variant': `${variant}` };
          span.addEvent('feature_flag.evaluation', evaluation, startTime);
        }
      }),
  };
}
