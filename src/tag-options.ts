/** Options out of a script tag's `data-*` attributes: each plain option of `start()` under its name in kebab case. */
import { NUMBER_OPTIONS } from './options.js';
import { FLAG_NAMES } from './page-options.js';

const NUMBERS: readonly string[] = [...Object.keys(NUMBER_OPTIONS), 'sampleRate', 'keepSlowerThanMillis'];
const LISTS: readonly string[] = ['routeNames', 'propagateTo', 'ignoreUrls'];

/** What fits no option's kind stays text, for the option's own check to refuse. `data-src` is the stub's. */
export function optionsOfTag({ src, ...data }: DOMStringMap): Record<string, unknown> {
  const options = Object.entries(data).map(([name, text = '']) => {
    if (NUMBERS.includes(name)) {
      const number = Number(text.trim() || 'none');
      return [name, Number.isNaN(number) ? text : number];
    }
    if (FLAG_NAMES.includes(name)) return [name, text === 'false' ? false : /^(true)?$/.test(text) || text];
    if (LISTS.includes(name)) return [name, text.split(',').map((item) => item.trim())];
    return [name, text];
  });
  return Object.fromEntries(options);
}

/** A mistake that names the attribute in place of the option. */
export function tellOfTag(error: unknown): string {
  return String(error).replace(
    /option "(\w+)"/,
    (_, name: string) => `attribute data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  );
}
