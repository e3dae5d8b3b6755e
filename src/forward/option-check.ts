/** Checks of what an operator hands over, once, at construction. */
import { inWords } from '../server/option-check.js';

/** One sentence that names the option, what it got and what it takes. @throws {TypeError} always. */
export function refuseOption(option: string, value: unknown, takes: string): never {
  throw new TypeError(`spandrel/forward: option "${option}" got ${inWords(value)}; it takes ${takes}`);
}

/** @throws {TypeError} when there is another name than those. */
export function checkOptionNames(what: string, options: object, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`spandrel/forward: ${what} takes an object of options, got ${inWords(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    throw new TypeError(
      `spandrel/forward: ${what} has no option ${inWords(name)}; it takes ${names.join(', ')}`,
    );
  }
}

/** `[default, least, most]` of whole numbers by their names. */
export type Ranges<N extends string> = Readonly<Record<N, readonly [number, number, number]>>;

/** All of them, where one is absent its default. @throws {TypeError} when one is no whole number in its range. */
export function checkIntegers<N extends string>(
  options: { [name in N]?: unknown },
  ranges: Ranges<N>,
): Record<N, number> {
  const checked = {} as Record<N, number>;
  for (const name of Object.keys(ranges) as N[]) {
    const [fallback, least, most] = ranges[name];
    const value = options[name] ?? fallback;
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
      refuseOption(name, value, `an integer from ${least} to ${most}`);
    }
    checked[name] = value as number;
  }
  return checked;
}
