/** The shop's own API. */

/** @typedef {{ id: string, name: string, price: number, blurb: string }} Product `price` in euros */

/** @returns {Promise<Product[]>} */
export const fetchProducts = () => request('/api/products');

/** @returns {Promise<Product>} */
export const fetchProduct = (id) => request(`/api/products/${encodeURIComponent(id)}`);

/** @returns {Promise<{ count: number }>} */
export const postToCart = (id) =>
  request('/api/cart', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id }),
  });

/** Takes about 1.5 s. */
export const fetchSlow = () => request('/api/slow');

/** Fails with 500, always. */
export const fetchFailure = () => request('/api/fail');

async function request(path, init) {
  const response = await fetch(path, init);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}
