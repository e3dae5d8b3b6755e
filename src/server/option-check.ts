/** Checks of what a programmer hands over, once, at construction. */
import { inWords } from '../wire/option-check.js';

export { inWords };

/** One sentence that names the option, what it got and what it takes. */
export function optionError(option: string, got: string, takes: string): TypeError {
  return new TypeError(`spandrel/server: option "${option}" got ${got}; it takes ${takes}`);
}

/** A secret in words: its type and length, never its text. */
export function secretInWords(value: unknown): string {
  return typeof value === 'string'
    ? `a string of ${value.length} characters`
    : `a value of type ${typeof value}`;
}

/** @throws {TypeError} when `value` is not an integer of the range. */
export function integerOption(option: string, value: unknown, minimum: number, maximum: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum)
    return value;
  throw optionError(option, inWords(value), `an integer from ${minimum} to ${maximum}`);
}

/** @throws {TypeError} when `value` is neither undefined nor a function. */
export function functionOption<F>(option: string, value: F | undefined): F | undefined {
  if (value === undefined || typeof value === 'function') return value;
  throw optionError(option, inWords(value), 'a function');
}
