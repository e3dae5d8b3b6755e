/** The demo's own switches: cuts what the SDK depends on, so that one can see what it does then. */

/** The host forgets nothing on reload, so neither may the switches. */
const STORAGE_KEY = 'keystone-faults';

/** @typedef {{ bucket: boolean, endpoint: boolean }} Cuts true where a part is cut off */

/** @returns {Cuts} as last set in this tab */
export function lastCuts() {
  try {
    const { bucket, endpoint } = JSON.parse(sessionStorage.getItem(STORAGE_KEY));
    return { bucket: bucket === true, endpoint: endpoint === true };
  } catch {
    return { bucket: false, endpoint: false };
  }
}

/**
 * Cuts off, or brings back, one part; the other stays as it is.
 *
 * @param {keyof Cuts} part
 * @param {boolean} cut
 * @returns {Promise<Cuts>} what is cut now
 * @throws {Error} when the host does not do it
 */
export async function setCut(part, cut) {
  const response = await fetch('/control/faults', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ [part]: cut ? { kind: 'down' } : null }),
  });
  if (!response.ok) throw new Error(`the switch answered ${response.status}`);
  const cuts = { ...lastCuts(), [part]: cut };
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(cuts));
  return cuts;
}
