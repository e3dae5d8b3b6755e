/** Checks of what an operator hands over, once, at construction. */
import { inWords } from '../server/option-check.js';

/** One sentence that names the option, what it got and what it takes. @throws {TypeError} always. */
export function refuse(option: string, value: unknown, takes: string): never {
  throw new TypeError(`spandrel/compact: option "${option}" got ${inWords(value)}; it takes ${takes}`);
}

/** @throws {TypeError} when there is another name than those. */
export function checkNames(what: string, options: object, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`spandrel/compact: ${what} takes an object of options, got ${inWords(options)}`);
  }
  const other = Object.keys(options).find((name) => !names.includes(name));
  if (other === undefined) return;
  throw new TypeError(
    `spandrel/compact: ${what} has no option ${inWords(other)}; it takes ${names.join(', ')}`,
  );
}
