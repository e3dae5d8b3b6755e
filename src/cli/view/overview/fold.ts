/** Texts that are alike but for numbers and ids are to count as one. */

const MAX_TEXT = 300;
const MAX_PATH = 200;
const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi;
/** Eight or more hexadecimal digits, of which one is a digit: a word such as `defaced` is none. */
const HEX = /\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi;
const NUMBER = /\d+(?:\.\d+)?/g;
/** A segment of a path that names one thing of many. */
const ID_SEGMENT = /^(?:\d+|(?=.*\d)[0-9a-f]{8,}|[0-9a-f]{8}-[0-9a-f-]{27}|(?=.*\d)[\w-]{16,})$/i;
/** Deeper paths are cut: what a page may write has no bound. */
const MAX_SEGMENTS = 12;

/** `Cannot read cart 17` and `Cannot read cart 18` are both `Cannot read cart #`. At most 300 characters. */
export function foldMessage(text: string): string {
  return text
    .slice(0, 2 * MAX_TEXT)
    .replace(UUID, '#')
    .replace(HEX, '#')
    .replace(NUMBER, '#')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_TEXT);
}

/** Host and path of a request, ids folded: `shop.test/api/products/:id`. The text itself where it is no address. */
export function foldUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text.slice(0, 2_048));
  } catch {
    return text.slice(0, MAX_PATH);
  }
  const segments = url.pathname.split('/').slice(0, MAX_SEGMENTS + 1);
  const folded = segments.map((segment) => (ID_SEGMENT.test(segment) ? ':id' : segment)).join('/');
  return `${url.host}${folded}`.slice(0, MAX_PATH);
}

/** `at checkout (https://shop.test/app.mjs:10:3)`, and the same of Firefox and Safari. */
const FRAME =
  /^\s*(?:at\s+(?:(.*?)\s+\()?|([^@\n]*)@)?((?:https?|file|webpack|node):[^\s()]+|[\w./-]+\.[mc]?[jt]sx?):\d+:\d+\)?$/;

/** The first frame of a stack as `function (file)`, without lines, hosts and what a build adds; empty when there is none. */
export function topFrame(stack: string): string {
  for (const line of stack.slice(0, 4_096).split('\n').slice(0, 20)) {
    const [, named, before, file = ''] = FRAME.exec(line.slice(0, 1_000)) ?? [];
    if (!file) continue;
    const name = (named ?? before ?? '').trim();
    const short = file.replace(/[?#].*$/, '').replace(/^.*\//, '');
    return (name ? `${name} (${short})` : short).slice(0, MAX_TEXT);
  }
  return '';
}
