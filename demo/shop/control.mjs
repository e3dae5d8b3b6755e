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
 * Cuts off, or brings back, the bucket and the endpoint.
 *
 * @param {Cuts} cuts
 * @throws {Error} when the host does not do it
 */
export async function setCuts(cuts) {
  const fault = (cut) => (cut ? { kind: 'down' } : null);
  const response = await fetch('/control/faults', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ bucket: fault(cuts.bucket), endpoint: fault(cuts.endpoint) }),
  });
  if (!response.ok) throw new Error(`the switch answered ${response.status}`);
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(cuts));
}
