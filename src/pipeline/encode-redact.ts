/**
 * What must not be stored of a text: query values, fragments and user info of URLs, and whatever has a telling name.
 * Part of stage 2, since everything that is written or sent passes there.
 *
 * Nothing here throws, and all is linear in the text's length: pages put megabytes into attributes.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/ on `url.full` and `url.query`
 */
import type { RedactableSpan } from '../page-options.js';
import type { ReadableSpan } from './span.js';

/** What is stored in place of a text. */
export type Rule = (text: string) => string;

const REDACTED = 'REDACTED';

/** In snake case. Short words count only alone: `ssn` is in `className` as well. */
const SECRET =
  /passw|pass[^a-z\d]?(phrase|code)|secret|token|authorization|cookie|credential|(api|access|private)[^a-z\d]?key|credit[^a-z\d]?card|card[^a-z\d]?number|(?<![a-z\d])(pwd|ssn|jwt|cv[cv]\d?)(?![a-z\d])/;
const URL_NAME = /(^|[._-])(ur[il]|href|referr?er)(\.(full|original|path))?$|^http\.target$/;

/** The whole attribute: all values but booleans, which give nothing away. */
export const hide: Rule = () => REDACTED;
/** Counts of tokens are no tokens. */
const hideText: Rule = () => REDACTED;

/** What has no value is one itself, unless it is a flag: a word. In a text `?` and `&` may be something else. */
const FLAG = /^[a-z_-]{0,24}$/i;
const NO_FLAG = /^.{16}/s;
const MAX_KEY = 40;

const parameter = (text: string, isAddress: boolean): string => {
  const [key = '', ...values] = text.split('=', 3);
  const isFlag = FLAG.test(key) || !(isAddress || NO_FLAG.test(key));
  const name = (values.join('') ? key.length <= MAX_KEY : isFlag) ? key : REDACTED;
  return values.length ? `${name}=${REDACTED}` : name;
};

/** User info and the values from the first `?`, `&` or `#name=` on. */
const withoutValues = (text: string, isAddress = false): string => {
  const bare = text.includes('@') ? text.replace(/\/\/[^/?#]*@/g, '//') : text;
  const from = bare.search(/[?&]|#[\w.-]+=/) + 1;
  if (!from) return bare;
  const parameters = bare.slice(from).split('&');
  return bare.slice(0, from) + parameters.map((one) => parameter(one, isAddress)).join('&');
};

/** The same of a URL, whose path may have values too: `;jsessionid=…`, and another URL's, percent-encoded. */
const address: Rule = (text) =>
  withoutValues(
    text
      .replace(/(;[^;/?#=&]*=)[^;/?#&]*/g, `$1${REDACTED}`)
      .replace(/(%3f|%23)[^/?#&=]+/gi, `$1${REDACTED}`),
    true,
  );

/** What no text without any of them needs to be looked at for. */
const SUSPECT = /[?#@&;%]/;

/** A URL that is nothing else, also a relative one. */
export const redactUrl: Rule = (text) =>
  SUSPECT.test(text) ? address((text.split('#', 1) as [string])[0]) : text;
const query: Rule = (text) => withoutValues(`?${text}`, true).slice(1);

const PATH = /^["'`(<[{]*\.{0,2}\//;
const isAddress = (text: string): boolean => text.includes('//') || PATH.test(text);

const word: Rule = (text) => (isAddress(text) ? redactUrl(text) : withoutValues(text));
const line: Rule = (text) => {
  const at = text.search(/(:\d+){1,2}\)?$/);
  return at < 0 ? word(text) : word(text.slice(0, at)) + text.slice(at);
};
const inWords =
  (rule: Rule): Rule =>
  (text) =>
    SUSPECT.test(text) ? text.replace(/\S+/g, rule) : text;

/** URLs anywhere in it. A word that looks like none keeps its `#`: `button#buy`. */
export const redactText: Rule = inWords(word);
/** The same, and a word's `:line:column` stays. */
const stack = inWords(line);
/** The same, and fragments stay, but what is as long as a secret: apps name routes `/#/cart`. */
export const redactName: Rule = inWords((text) =>
  isAddress(text) ? address(text.replace(/#(?![!/])[^?&=]{16,}/, `#${REDACTED}`)) : withoutValues(text),
);

const OF_NAME = new Map<string, Rule>([
  ['url.query', query],
  ['url.fragment', hide],
  ['url.template', redactName],
  ['exception.stacktrace', stack],
]);

/** What becomes of the values under a name. */
export function ruleOf(name: string): Rule {
  const known = OF_NAME.get(name);
  if (known) return known;
  const snake = name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase();
  if (SECRET.test(snake)) return snake.endsWith('tokens') ? hideText : hide;
  return URL_NAME.test(snake) ? redactUrl : redactText;
}

/** What a span says, as far as it is ever changed. */
export type Content = Pick<ReadableSpan, 'name' | 'attributes' | 'events' | 'status'>;

/** A copy for the user's hook, with what OpenTelemetry allows as values redacted. What else there is, is when written. */
export function redactable(span: Content, redaction: boolean): RedactableSpan {
  const copyOf = (attributes: object | undefined): RedactableSpan['attributes'] => {
    const copies = Object.entries(attributes ?? {}).map(([name, value]) => {
      const rule = ruleOf(name);
      const redacted = (item: unknown): unknown => {
        if (!redaction || item === null || item === undefined || typeof item === 'boolean') return item;
        return rule === hide ? REDACTED : typeof item === 'string' ? rule(item) : item;
      };
      return [name, Array.isArray(value) ? value.map(redacted) : redacted(value)];
    });
    return Object.fromEntries(copies);
  };
  const { name, attributes, events, status } = span;
  const text = (given: unknown, rule: Rule): string => (redaction ? rule(String(given)) : String(given));
  return {
    name: text(name, redactName),
    attributes: copyOf(attributes),
    events: events.map((event) => ({
      ...event,
      name: text(event.name, redactName),
      attributes: copyOf(event.attributes),
    })),
    statusMessage: status.message && text(status.message, redactText),
  };
}
