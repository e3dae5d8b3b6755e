import { html, useState } from '/vendor/preact.js';

/**
 * Copies `text` (or what `text()` gives when clicked) and says so.
 *
 * @param {object} props
 * @param {string | (() => string)} props.text
 * @param {string} props.label what is to be seen
 * @param {string} props.of said after it to those who do not see what it stands beside
 */
export function CopyButton({ text, label, of }) {
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
  return html`<button class="copy" onClick=${copy} onBlur=${() => setDone('')}>
    <span aria-live="polite">${done || html`${label} <span class="visually-hidden">${of}</span>`}</span>
  </button>`;
}
