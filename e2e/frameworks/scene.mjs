/** What every app here does, whatever it is made with. */
/** @param {number} millis */
const wait = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
/** @param {string} what */
const get = async (what) => (await fetch(`/icon.svg?${what}`)).text();

export const BASE = '/app';
/** Links of the frame, by id. */
export const LINKS = {
  'to-home': '/',
  'to-product': '/products/7',
  'to-broken': '/broken',
  'to-late': '/late',
};

export const onHome = () => get('home');
/** Before the route is shown. */
export const loadProduct = () => get('loader');
/** When it is shown. */
export async function onProduct() {
  await wait(20);
  await get('after-await');
}
/** The answer comes when the test lets it, by when the user has gone elsewhere. */
export const onLate = async () => (await fetch('/held?held')).text();

export function throwInHandler() {
  throw new Error('in handler');
}
export function throwInRender() {
  throw new Error('in render');
}
/** @param {unknown} error */
export const record = (error) => globalThis.spandrel.instance?.recordException(/** @type {Error} */ (error));
