/** Whether the visitor agrees to be measured: asked once, kept in this browser, and open to change. */
import { html, useState } from '/vendor/preact.js';
import { sdk } from './tracing.mjs';
import { applyVisitor } from './visitor.mjs';

const STORAGE_KEY = 'keystone-consent';
/** @type {Exclude<Consent, 'pending'>[]} */
const ANSWERS = ['granted', 'denied'];

/** @typedef {'pending' | 'granted' | 'denied'} Consent */

/** Tells the SDK, which begins with `pending`, what the visitor said on an earlier page. */
export function applyConsent() {
  const consent = readConsent();
  if (consent !== 'pending') sdk()?.setConsent(consent);
}

/** The banner while nobody has answered; then one line that says what was answered. */
export function Consent({ consent, onConsent }) {
  const decide = (answer) => {
    writeConsent(answer);
    sdk()?.setConsent(answer);
    // With a denial the SDK has forgotten who this is.
    if (answer === 'granted') applyVisitor();
    onConsent(answer);
  };
  if (consent === 'pending') {
    return html`<section class="consent" aria-label="Consent">
      <p>
        <b>May we measure this visit?</b> Page loads, clicks, speed and errors, under a random session id. No cookie, and
        nothing that you type.
      </p>
      <p class="consent-answers">
        <button data-spandrel="No, thanks" onClick=${() => decide('denied')}>No, thanks</button>
        <button class="primary" data-spandrel="Agree" onClick=${() => decide('granted')}>Agree</button>
      </p>
    </section>`;
  }
  const other = consent === 'granted' ? 'denied' : 'granted';
  return html`<footer class="consent-said">
    ${consent === 'granted' ? 'You agreed to be measured.' : 'You are not measured.'}${' '}
    <button class="link" onClick=${() => decide(other)}>
      ${consent === 'granted' ? 'Stop measuring' : 'Agree after all'}
    </button>
  </footer>`;
}

/** The answer of this browser, and what changes it. */
export const useConsent = () => useState(readConsent);

/** @returns {Consent} */
function readConsent() {
  try {
    const said = localStorage.getItem(STORAGE_KEY);
    return ANSWERS.find((answer) => answer === said) ?? 'pending';
  } catch {
    return 'pending';
  }
}

function writeConsent(consent) {
  try {
    localStorage.setItem(STORAGE_KEY, consent);
  } catch {
    // Storage is forbidden: the answer lasts as long as the page.
  }
}
