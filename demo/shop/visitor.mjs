/** Who the visitor is, for the shop and for the SDK; and which variant of a flag this tab has drawn. */
import { html, useState } from '/vendor/preact.js';
import { sdk } from './tracing.mjs';

const STORAGE_KEY = 'keystone-visitor';
const FLAG_KEY = 'keystone-delivery';
const VISITORS = ['Ada', 'Grace', 'Hedy'];
/** @type {['free', 'paid']} */
const DELIVERIES = ['free', 'paid'];

/** The SDK forgets both with the page, and when the visitor denies. */
export function applyVisitor() {
  const name = read(STORAGE_KEY, VISITORS);
  sdk()?.setUser(name ? { id: idOf(name) } : null);
  sdk()?.setFlag('delivery', delivery());
}

/** The variant: drawn once a tab. */
export function delivery() {
  const known = read(FLAG_KEY, DELIVERIES);
  if (known) return known;
  const drawn = DELIVERIES[Math.floor(Math.random() * DELIVERIES.length)];
  write(FLAG_KEY, drawn);
  return drawn;
}

export function Visitor() {
  const [name, setName] = useState(() => read(STORAGE_KEY, VISITORS) ?? '');
  const signIn = ({ currentTarget }) => {
    setName(currentTarget.value);
    write(STORAGE_KEY, currentTarget.value);
    applyVisitor();
  };
  return html`<label class="visitor">
    ${name ? 'Signed in as' : 'Sign in as'}
    <select data-spandrel="Sign in" onChange=${signIn}>
      <option value="" selected=${name === ''}>nobody</option>
      ${VISITORS.map((one) => html`<option key=${one} value=${one} selected=${one === name}>${one}</option>`)}
    </select>
  </label>`;
}

const idOf = (name) => `u-${VISITORS.indexOf(name) + 1}`;

function read(key, allowed) {
  try {
    const text = sessionStorage.getItem(key);
    return allowed.find((one) => one === text);
  } catch {
    return undefined;
  }
}

function write(key, text) {
  try {
    sessionStorage.setItem(key, text);
  } catch {
    // Storage is forbidden: it lasts as long as the page.
  }
}
