/** Options out of a script tag's `data-*` attributes: each plain option of `start()` under its name in kebab case. */
import { parseJson } from './json.js';
import { NUMBER_OPTIONS } from './options.js';
import { FLAG_NAMES } from './page-options.js';

const NUMBERS: readonly string[] = [...Object.keys(NUMBER_OPTIONS), 'sampleRate', 'keepSlowerThanMillis'];
const LISTS: readonly string[] = ['routeNames', 'propagateTo', 'ignoreUrls'];

/** What the text says, if it is JSON; else the text. */
function jsonOr(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/**
 * What fits no option's kind stays text, for the option's own check to refuse. `data-src` is the stub's. `data-user` is
 * an id, or an object in JSON; without text it is nobody.
 */
export function optionsOfTag({ src, ...data }: DOMStringMap): Record<string, unknown> {
  const options = Object.entries(data).map(([name, text = '']) => {
    if (NUMBERS.includes(name)) {
      const number = Number(text.trim() || 'none');
      return [name, Number.isNaN(number) ? text : number];
    }
    if (FLAG_NAMES.includes(name)) return [name, text === 'false' ? false : /^(true)?$/.test(text) || text];
    if (name === 'user' && text[0] !== '{') return [name, text ? { id: text } : null];
    if (/^(user|attributes)$/.test(name)) return [name, jsonOr(text)];
    if (LISTS.includes(name)) return [name, text.split(',').map((item) => item.trim())];
    return [name, text];
  });
  return Object.fromEntries(options);
}

/** A mistake that names the attribute in place of the option. */
export function tellOfTag(error: unknown): string {
  return String(error).replace(
    /option "(\w+)(\S*)"/,
    (_, name: string, of: string) =>
      `attribute data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}${of}`,
  );
}
