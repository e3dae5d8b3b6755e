/** Stacks as browsers write them: Chrome's `at name (place)`, Firefox' and Safari's `name@place`. */

/** A place in a file that the browser ran. */
export interface RawFrame {
  /** As the browser says it; empty where it does not. */
  name: string;
  url: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  /** The frame is that of a function that was awaited: the frame above was not called from here. */
  isAsync: boolean;
}

/** A line of a stack. Lines that tell of no place are the error's head, a cause's, or native code. */
export interface StackLine {
  text: string;
  frame?: RawFrame;
}

/** Pages write 8,000 characters; other SDKs may write more. */
const MAX_STACK_CHARS = 65_536;
const MAX_LINES = 500;
/** What has more is no place: an address may hold data. */
const MAX_LINE_CHARS = 4_096;

/** Both at the end of a place. */
const POSITION = /:(\d{1,9}):(\d{1,9})$/;
const CHROME = /^\s*at (?:(async) )?(?:new )?(.*)$/;
const ADDRESS = /^(?:[a-z][a-z\d+.-]*:|\/)/i;

/** Takes a stack apart. */
export function parseStack(stack: string): StackLine[] {
  return stack
    .slice(0, MAX_STACK_CHARS)
    .split('\n', MAX_LINES)
    .map((text) => {
      const frame = text.length <= MAX_LINE_CHARS ? (chromeFrame(text) ?? mozillaFrame(text)) : undefined;
      return frame ? { text, frame } : { text };
    });
}

function chromeFrame(text: string): RawFrame | undefined {
  const [, async, said] = CHROME.exec(text) ?? [];
  if (said === undefined) return undefined;
  const open = said.endsWith(')') ? openingOf(said) : -1;
  const place = open < 0 ? said : said.slice(open + 1, -1);
  // `Foo.bar [as baz]`: the first is how it was written.
  const name =
    open < 0
      ? ''
      : said
          .slice(0, open)
          .replace(/ \[as .*$/, '')
          .trim();
  return frameAt(name, place, async !== undefined);
}

/** Where the last parenthesis opens: addresses may hold some as well. */
function openingOf(said: string): number {
  let depth = 0;
  for (let at = said.length - 1; at >= 0; at -= 1) {
    if (said[at] === ')') depth += 1;
    else if (said[at] === '(') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

function mozillaFrame(text: string): RawFrame | undefined {
  const at = atBeforeAddress(text);
  // Safari leaves names out with their `@`; in a message that looks like an address nothing is lost by trying.
  if (at < 0) return ADDRESS.test(text) ? frameAt('', text, false) : undefined;
  const name = text.slice(0, at);
  // `async*` and `promise callback*`: what comes was not called, but scheduled, from here.
  const star = name.lastIndexOf('*');
  const own = name.slice(star + 1).replace(/\/<$|\/$|<$/, '');
  return frameAt(/^(global|module|eval) code$/.test(own) ? '' : own, text.slice(at + 1), star >= 0);
}

/** Addresses hold `@` too, as those of packages' versions do: the first one that an address follows. */
function atBeforeAddress(text: string): number {
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    if (ADDRESS.test(text.slice(at + 1, at + 40))) return at;
  }
  return -1;
}

function frameAt(name: string, place: string, isAsync: boolean): RawFrame | undefined {
  const [position, line, column] = POSITION.exec(place) ?? [];
  if (position === undefined) return undefined;
  const url = place.slice(0, -position.length);
  // What was evaluated has no file, and no map: `eval at f (a.js:1:2), <anonymous>`, `a.js line 3 > eval`.
  if (url.startsWith('eval at ') || / > (eval|Function)$/.test(url) || !ADDRESS.test(url)) return undefined;
  return { name, url, line: Number(line), column: Number(column), isAsync };
}
