/** The HTML of the pages under test. */
import { IMPORT_MAP } from './vendor.mjs';

export interface PageParts {
  /** Into the head, before any script of ours. */
  head?: string;
  /** Into the body. */
  body?: string;
}

const frame = (scripts: string, { head = '', body = '' }: PageParts): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">${head}${scripts}</head>
<body><button id="act">Act</button>${body}</body>
</html>`;

/** Kebab case, as `data-*` attributes are written. */
const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** A page with the script tag, `options` as its attributes, and the recorder behind it. */
export function tagPage(options: Record<string, unknown>, parts: PageParts = {}): string {
  const attributes = Object.entries(options).map(([name, value]) => `data-${kebab(name)}="${value}"`);
  return frame(
    `<script src="/dist/script.js" ${attributes.join(' ')}></script>
    <script type="module" src="/e2e/recorder.mjs"></script>`,
    parts,
  );
}

/** A page that imports the bundler entry; `code` is a module. Its last act sets `globalThis.ready`. */
export function modulePage(code: string, parts: PageParts = {}): string {
  return frame(
    `<script type="importmap">${JSON.stringify(IMPORT_MAP)}</script>
    <script type="module">${code}
globalThis.ready = true;</script>`,
    parts,
  );
}

/** A page without Spandrel, to go to. */
export const plainPage = (): string => frame('', {});
