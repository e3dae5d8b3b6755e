/** Checks of what an operator hands over, once, at construction: one sentence names the option, what it got and what it takes. */
import { isKeyPrefix, isKeySegment } from '../object-key.js';

/** A value in words. Not for secrets. */
export function inWords(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  if (typeof value === 'number' || typeof value === 'boolean' || value == null) return String(value);
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}

/** `[default, least, most]` of whole numbers by their names. */
export type Ranges<N extends string> = Readonly<Record<N, readonly [number, number, number]>>;

/** Each throws a {@link TypeError} for what cannot be. */
export interface OptionChecks {
  refuse(option: string, value: unknown, takes: string): never;
  /** @param gone names that there were once, and what is to be done in their place. */
  names(
    what: string,
    options: object,
    names: readonly string[],
    gone?: Readonly<Record<string, string>>,
  ): void;
  /** All of them, where one is absent its default. */
  integers<N extends string>(options: object, ranges: Ranges<N>): Record<N, number>;
  functions(options: object, names: readonly string[]): void;
  /** Whether it has the methods that work on a bucket needs. */
  storage(storage: object | undefined): void;
  /** A project and an environment, which may be absent. */
  segments(options: { project?: string; environment?: string }): void;
  /** Epoch milliseconds of a date or a number. */
  instant(name: string, value: Date | number | undefined, fallback: number): number;
  /** First segments of keys, none of which lies in another: what is written would be read as traces, or the other way about. */
  prefixes<N extends string>(options: object, fallbacks: Record<N, string>): Record<N, string>;
}

const STORAGE_METHODS = ['put', 'list', 'get', 'delete'] as const;

/** @param who begins each sentence, such as `spandrel/forward`. */
export function createOptionChecks(who: string): OptionChecks {
  const fail = (words: string): never => {
    throw new TypeError(`${who}: ${words}`);
  };
  const refuse = (option: string, value: unknown, takes: string): never =>
    fail(`option "${option}" got ${inWords(value)}; it takes ${takes}`);
  return {
    refuse,
    names(what, options, names, gone = {}) {
      if (typeof options !== 'object' || options === null) {
        fail(`${what} takes an object of options, got ${inWords(options)}`);
      }
      for (const name of Object.keys(options)) {
        if (names.includes(name)) continue;
        if (Object.hasOwn(gone, name)) fail(`${what} has the option "${name}" no more: ${gone[name]}`);
        fail(`${what} has no option ${inWords(name)}; it takes ${names.join(', ')}`);
      }
    },
    integers<N extends string>(options: object, ranges: Ranges<N>) {
      const checked = {} as Record<N, number>;
      for (const name of Object.keys(ranges) as N[]) {
        const [fallback, least, most] = ranges[name];
        const value: unknown = Reflect.get(options, name) ?? fallback;
        if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
          refuse(name, value, `an integer from ${least} to ${most}`);
        }
        checked[name] = value as number;
      }
      return checked;
    },
    functions(options, names) {
      for (const name of names) {
        const given: unknown = Reflect.get(options, name);
        if (given !== undefined && typeof given !== 'function') refuse(name, given, 'a function');
      }
    },
    storage(storage) {
      const methods = storage as Partial<Record<(typeof STORAGE_METHODS)[number], unknown>> | undefined;
      if (STORAGE_METHODS.every((method) => typeof methods?.[method] === 'function')) return;
      refuse('storage', storage, `s3(), r2() or an object with ${STORAGE_METHODS.join(', ')}`);
    },
    segments(options) {
      for (const name of ['project', 'environment'] as const) {
        const value = options[name];
        if (value !== undefined && !isKeySegment(value)) refuse(name, value, 'one key segment');
      }
    },
    instant(name, value, fallback) {
      const millis = value === undefined ? fallback : Number(value);
      return Number.isNaN(millis) ? refuse(name, value, 'a date') : millis;
    },
    prefixes<N extends string>(options: object, fallbacks: Record<N, string>) {
      const all = Object.entries<string>(fallbacks).map(([name, fallback]) => {
        const value: unknown = Reflect.get(options, name) ?? fallback;
        if (typeof value === 'string' && isKeyPrefix(value)) return [name, value] as const;
        return refuse(name, value, 'key segments joined by single slashes');
      });
      for (const [name, value] of all) {
        const other = all.find(([own, prefix]) => own !== name && `${value}/`.startsWith(`${prefix}/`));
        if (other) refuse(name, value, `a place outside of ${other[0]}, which is "${other[1]}"`);
      }
      return Object.fromEntries(all) as Record<N, string>;
    },
  };
}
