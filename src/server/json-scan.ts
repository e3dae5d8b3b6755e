/**
 * Reads one OTLP/JSON request byte by byte, and keeps nothing of it: whoever made the bytes would choose what it takes to
 * parse them.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */

import type { Signal } from '../object-key.js';
import { SIGNALS } from '../wire/otlp-json.js';

/** Deeper than attributes of attributes of any SDK. */
export const MAX_DEPTH = 200;
/** Objects and arrays in a text of no length, and bytes for each further one. OTLP/JSON has one for some 30 bytes. */
export const FREE_CONTAINERS = 100;
export const BYTES_PER_CONTAINER = 8;

/** What is more than a step to the next state. */
const FIRST_ACTION = 0xff00;
const OPEN_OBJECT = FIRST_ACTION;
const OPEN_ARRAY = FIRST_ACTION + 1;
const CLOSE = FIRST_ACTION + 2;
const TOP_NAME_BYTE = FIRST_ACTION + 3;
const CLOSE_TOP_NAME = FIRST_ACTION + 4;

/** What comes next, by state and byte: an action or a state. States are 256 apart; that of all zeros leads nowhere. */
const NEXT = new Uint16Array(FIRST_ACTION);
const ERROR = 0;
const states = new Map<string, number>([['error', ERROR]]);

function state(name: string): number {
  const known = states.get(name) ?? states.size * 256;
  states.set(name, known);
  return known;
}

/** @param bytes ASCII, or the first and the last of them. */
function on(from: string, bytes: string | [first: number, last: number], to: string | number): void {
  const next = typeof to === 'string' ? state(to) : to;
  const start = state(from);
  if (typeof bytes !== 'string') NEXT.fill(next, start + bytes[0], start + bytes[1] + 1);
  else for (const byte of new TextEncoder().encode(bytes)) NEXT[start + byte] = next;
}

const SPACE = ' \t\n\r';
const DIGITS = '0123456789';

/** A text after its quote: escapes, and UTF-8 as in RFC 3629, neither overlong nor surrogates nor past the last code point. */
function text(name: string, after: string): void {
  on(name, [0x20, 0x7f], name);
  on(name, '"', after);
  on(name, '\\', `${name} \\`);
  on(`${name} \\`, '"\\/bfnrt', name);
  on(`${name} \\`, 'u', `${name} 4 digits`);
  for (const left of [4, 3, 2, 1])
    on(`${name} ${left} digits`, `${DIGITS}abcdefABCDEF`, left > 1 ? `${name} ${left - 1} digits` : name);
  for (const left of [3, 2, 1]) on(`${name} ${left}`, [0x80, 0xbf], left > 1 ? `${name} ${left - 1}` : name);
  on(name, [0xc2, 0xdf], `${name} 1`);
  on(name, [0xe1, 0xef], `${name} 2`);
  on(name, [0xf1, 0xf3], `${name} 3`);
  for (const [lead, first, last, left] of [
    [0xe0, 0xa0, 0xbf, 1],
    [0xed, 0x80, 0x9f, 1],
    [0xf0, 0x90, 0xbf, 2],
    [0xf4, 0x80, 0x8f, 2],
  ] as const) {
    on(name, [lead, lead], `${name} ${lead}`);
    on(`${name} ${lead}`, [first, last], `${name} ${left}`);
  }
}

/** What is inside of an object or an array, from where a value may begin to what may come after it. */
function value(place: string, froms: string[]): void {
  const after = `${place} after`;
  for (const from of froms) {
    on(from, SPACE, from);
    on(from, '{', OPEN_OBJECT);
    on(from, '[', OPEN_ARRAY);
    on(from, '"', `${place} text`);
    on(from, '-', `${place} -`);
    for (const word of ['true', 'false', 'null']) on(from, word.charAt(0), `${place} ${word} 1`);
  }
  for (const word of ['true', 'false', 'null']) {
    for (let at = 1; at < word.length; at++)
      on(
        `${place} ${word} ${at}`,
        word.charAt(at),
        at + 1 < word.length ? `${place} ${word} ${at + 1}` : after,
      );
  }
  text(`${place} text`, after);
  for (const start of [...froms, `${place} -`]) {
    on(start, '0', `${place} zero`);
    on(start, '123456789', `${place} integer`);
  }
  on(`${place} integer`, DIGITS, `${place} integer`);
  for (const whole of [`${place} zero`, `${place} integer`]) on(whole, '.', `${place} point`);
  for (const fraction of [`${place} point`, `${place} fraction`]) on(fraction, DIGITS, `${place} fraction`);
  for (const mantissa of ['zero', 'integer', 'fraction']) on(`${place} ${mantissa}`, 'eE', `${place} e`);
  on(`${place} e`, '+-', `${place} e sign`);
  for (const power of ['e', 'e sign', 'exponent']) on(`${place} ${power}`, DIGITS, `${place} exponent`);
  for (const end of ['zero', 'integer', 'fraction', 'exponent', 'after']) {
    on(`${place} ${end}`, SPACE, after);
    on(`${place} ${end}`, ',', place === 'array' ? 'array value' : `${place} name`);
    on(`${place} ${end}`, place === 'array' ? ']' : '}', CLOSE);
  }
}

value('array', ['array value', 'array first']);
on('array first', ']', CLOSE);
for (const place of ['object', 'top']) {
  value(place, [`${place} value`]);
  for (const name of [`${place} name`, `${place} first`]) {
    on(name, SPACE, name);
    on(name, '"', `${place} name text`);
  }
  on(`${place} first`, '}', CLOSE);
  on(`${place} colon`, SPACE, `${place} colon`);
  on(`${place} colon`, ':', `${place} value`);
}
text('object name text', 'object colon');
// Of the outermost names one is looked for. Nobody who writes OTLP escapes them, and whoever does has something to hide.
on('top name text', [0x20, 0x7f], TOP_NAME_BYTE);
on('top name text', '\\', 'error');
on('top name text', '"', CLOSE_TOP_NAME);
for (const spans of ['spans colon', 'spans value', 'start', 'end']) on(spans, SPACE, spans);
on('spans colon', ':', 'spans value');
on('spans value', '[', OPEN_ARRAY);
on('start', '{', OPEN_OBJECT);

const [START, END, TOP_FIRST, TOP_AFTER, TOP_COLON, TOP_NAME, SPANS_COLON] = [
  ...['start', 'end', 'top first', 'top after', 'top colon', 'top name text', 'spans colon'].map(state),
] as [number, number, number, number, number, number, number];
const [FIRST, AFTER] = [
  ['array first', 'object first'].map(state),
  ['array after', 'object after'].map(state),
] as [[number, number], [number, number]];
const LIST_NAMES: Record<Signal, Uint8Array> = {
  traces: new TextEncoder().encode(SIGNALS.traces.resources),
  logs: new TextEncoder().encode(SIGNALS.logs.resources),
};

/** Takes the bytes of one request in pieces, in constant memory. */
export interface TraceScanner {
  /** @returns false when this cannot be one any more. */
  push(bytes: Uint8Array): boolean;
  /** Whether all of it was one. */
  isWhole(): boolean;
}

/**
 * One JSON object in strict UTF-8 with one array `resourceSpans`, or of logs `resourceLogs`, no deeper than {@link MAX_DEPTH}, and with no more
 * objects and arrays than its length lets expect: whoever parses it later has use for that.
 *
 * @param length of the whole text, bytes.
 */
export function createTraceScanner(length: number, signal: Signal = 'traces'): TraceScanner {
  const listName = LIST_NAMES[signal];
  /** What is open, outermost first: 1 an object, 0 an array. */
  const open = new Uint8Array(MAX_DEPTH);
  let depth = 0;
  let left = FREE_CONTAINERS + length / BYTES_PER_CONTAINER;
  let current = START;
  /** How many bytes of a name were those of the list's; below 0: not all. */
  let matched = 0;
  let hasSpans = false;

  const act = (action: number, byte: number): number => {
    if (action === CLOSE) {
      depth--;
      if (depth <= 1) return depth === 0 ? END : TOP_AFTER;
      return open[depth - 1] === 1 ? AFTER[1] : AFTER[0];
    }
    if (action === TOP_NAME_BYTE) {
      matched = byte === listName[matched] ? matched + 1 : -1;
      return TOP_NAME;
    }
    if (action === CLOSE_TOP_NAME) {
      const isSpans = matched === listName.length;
      matched = 0;
      if (!isSpans) return TOP_COLON;
      // Of two, some readers take the first and others the last.
      if (hasSpans) return ERROR;
      hasSpans = true;
      return SPANS_COLON;
    }
    if (depth === MAX_DEPTH || --left < 0) return ERROR;
    const kind = action === OPEN_OBJECT ? 1 : 0;
    open[depth++] = kind;
    return depth === 1 ? TOP_FIRST : FIRST[kind];
  };

  return {
    push(bytes) {
      const { length: end } = bytes;
      let next = current;
      for (let at = 0; at < end; at++) {
        const byte = bytes[at] as number;
        next = NEXT[next + byte] as number;
        if (next >= FIRST_ACTION) next = act(next, byte);
      }
      current = next;
      return current !== ERROR;
    },
    isWhole: () => current === END && hasSpans,
  };
}
