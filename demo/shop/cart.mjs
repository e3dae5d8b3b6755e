/** What the visitor has put aside, kept for the tab. */

const STORAGE_KEY = 'keystone-cart';

/** @returns {string[]} product ids, in the order they were added */
export function readCart() {
  try {
    const ids = JSON.parse(sessionStorage.getItem(STORAGE_KEY));
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

export function writeCart(ids) {
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(ids));
}
