/** The shop's pages: their addresses and what each loads. */
import { fetchProduct, fetchProducts, fetchSlow } from './api.mjs';
import { step } from './tracing.mjs';

const ROUTES = [
  {
    name: 'home',
    path: /^\/$/,
    pattern: '/',
    title: 'Keystone',
    load: async () => ({ products: await list() }),
  },
  {
    name: 'product',
    path: /^\/shop\/product\/([^/]+)$/,
    pattern: '/shop/product/:id',
    title: 'Product',
    // Both at once: started in one task, so both are children of the route's span.
    load: async (id) => {
      const one = step('load product', { 'product.id': id }, () => fetchProduct(id));
      const [product, products] = await Promise.all([one, list()]);
      return { product, products };
    },
  },
  {
    name: 'cart',
    path: /^\/shop\/cart$/,
    pattern: '/shop/cart',
    title: 'Cart',
    load: async () => ({ products: await list() }),
  },
  {
    name: 'slow',
    path: /^\/shop\/slow$/,
    pattern: '/shop/slow',
    title: 'The cathedral',
    load: () => step('build the cathedral', { stones: 12_000 }, fetchSlow),
  },
  {
    name: 'about',
    path: /^\/shop\/about$/,
    pattern: '/shop/about',
    title: 'How it works',
    load: async () => ({}),
  },
];

const LOST = { name: 'lost', pattern: '(unknown)', title: 'Not found', load: async () => ({}) };

/**
 * @param {string} pathname
 * @returns {{ name: string, pattern: string, title: string, load: () => Promise<object> }}
 */
export function matchRoute(pathname) {
  for (const route of ROUTES) {
    const match = route.path.exec(pathname);
    if (match !== null) return { ...route, load: () => route.load(match[1]) };
  }
  return LOST;
}

const list = () => step('load products', {}, fetchProducts);
