import { html, useState } from '/vendor/preact.js';

/**
 * Copies `text` (or what `text()` gives when clicked) and says so.
 *
 * @param {{ text: string | (() => string), label: string, children?: unknown }} props
 */
export function CopyButton({ text, label, children }) {
  const [done, setDone] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === 'function' ? text() : text);
      setDone('Copied');
    } catch {
      // No permission, or no secure context.
      setDone('Not allowed here');
    }
  };
  return html`<button class="copy" aria-label=${done || label} onClick=${copy} onBlur=${() => setDone('')}>
    <span aria-live="polite">${done || children || 'Copy'}</span>
  </button>`;
}
