/** The shop's pages: their addresses and what each loads. */
import { fetchProduct, fetchProducts, fetchSlow } from './api.mjs';
import { step } from './tracing.mjs';

const ROUTES = [
  {
    name: 'home',
    path: /^\/$/,
    title: 'Keystone',
    load: async () => ({ products: await fetchProducts() }),
  },
  {
    name: 'product',
    path: /^\/shop\/product\/([^/]+)$/,
    title: 'Product',
    load: async (id) => {
      const [product, products] = await Promise.all([fetchProduct(id), fetchProducts()]);
      return { product, products };
    },
  },
  {
    name: 'cart',
    path: /^\/shop\/cart$/,
    title: 'Cart',
    load: async () => ({ products: await fetchProducts() }),
  },
  {
    name: 'slow',
    path: /^\/shop\/slow$/,
    title: 'The cathedral',
    load: () => step('build the cathedral', { stones: 12_000 }, fetchSlow),
  },
  {
    name: 'about',
    path: /^\/shop\/about$/,
    title: 'How it works',
    load: async () => ({}),
  },
];

const LOST = { name: 'lost', title: 'Not found', load: async () => ({}) };

/**
 * @param {string} pathname
 * @returns {{ name: string, title: string, load: () => Promise<object> }}
 */
export function matchRoute(pathname) {
  for (const route of ROUTES) {
    const match = route.path.exec(pathname);
    if (match !== null) return { ...route, load: () => route.load(match[1]) };
  }
  return LOST;
}
