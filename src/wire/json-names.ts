/** How many names of members a JSON text has, counted in two ways: what is parsed has each name of an object once. */

const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** In text that `JSON.parse` takes. */
export function nameCount(json: string): number {
  let count = 0;
  let open = json.indexOf('"');
  while (open >= 0) {
    let close = json.indexOf('"', open + 1);
    while (isEscaped(json, close)) close = json.indexOf('"', close + 1);
    let after = close + 1;
    while (isSpace(json.charCodeAt(after))) after++;
    if (json.charCodeAt(after) === COLON) count++;
    open = json.indexOf('"', after);
  }
  return count;
}

function isEscaped(json: string, at: number): boolean {
  let before = at;
  while (json.charCodeAt(before - 1) === BACKSLASH) before--;
  return (at - before) % 2 === 1;
}

const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);

/** In a value that `JSON.parse` gave, however deep. */
export function nameCountOf(value: unknown): number {
  let count = 0;
  const left = [value];
  while (left.length) {
    const next = left.pop();
    if (typeof next !== 'object' || next === null) continue;
    const values = Object.values(next);
    if (!Array.isArray(next)) count += values.length;
    for (const inner of values) left.push(inner);
  }
  return count;
}
