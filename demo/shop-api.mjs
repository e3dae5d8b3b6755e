import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { sendJson } from './send-json.mjs';

/** Prices in cents. */
const PRODUCTS = [
  { id: 'keystone', name: 'Keystone', price: 49, emoji: '🗿', blurb: 'The one that holds the others.' },
  { id: 'voussoir', name: 'Voussoir, pair', price: 32, emoji: '🧱', blurb: 'Two wedges that lean well.' },
  { id: 'centring', name: 'Centring', price: 125, emoji: '🪵', blurb: 'Carries the arch until it can.' },
  { id: 'plumb', name: 'Plumb line', price: 18, emoji: '🧵', blurb: 'Has never been wrong.' },
  { id: 'trowel', name: 'Trowel', price: 24, emoji: '🔨', blurb: 'For the mortar and the last word.' },
  { id: 'lantern', name: 'Site lantern', price: 56, emoji: '🏮', blurb: 'For those who stay late.' },
];

const SLOW_STEPS = 6;
const SLOW_STEP_MILLIS = 250;

async function* slowly() {
  yield '{"stock":[';
  for (let step = 0; step < SLOW_STEPS; step++) {
    await delay(SLOW_STEP_MILLIS);
    yield `${step > 0 ? ',' : ''}${JSON.stringify({ id: PRODUCTS[step]?.id, left: 3 + step })}`;
  }
  yield ']}';
}

/**
 * The demo shop's own API, something real to trace:
 * `GET /api/products`, `GET /api/products/:id`, `POST /api/cart` `{ id }` → `{ count }`, `GET /api/slow` (streamed
 * for 1.5 s), `GET /api/fail` (always 500).
 *
 * @returns {(req: import('node:http').IncomingMessage, res: import('node:http').ServerResponse) => Promise<void>}
 */
export function createShopApi() {
  /** @type {string[]} */
  const cart = [];
  const find = (/** @type {unknown} */ id) => PRODUCTS.find((product) => product.id === id);

  return async (req, res) => {
    const { pathname } = new URL(req.url ?? '/', 'http://host');
    const route = `${req.method} ${pathname}`;
    if (route === 'GET /api/products') return sendJson(res, 200, PRODUCTS);
    if (route.startsWith('GET /api/products/')) {
      const product = find(pathname.slice('/api/products/'.length));
      return sendJson(res, product ? 200 : 404, product ?? { error: 'No such product.' });
    }
    if (route === 'POST /api/cart') {
      const wanted = /** @type {any} */ (await json(req).catch(() => undefined));
      const product = find(wanted?.id);
      if (product) cart.push(product.id);
      return sendJson(
        res,
        product ? 200 : 404,
        product ? { count: cart.length } : { error: 'No such product.' },
      );
    }
    if (route === 'GET /api/slow') {
      res.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      return pipeline(Readable.from(slowly()), res);
    }
    if (route === 'GET /api/fail') return sendJson(res, 500, { error: 'The mortar has not set.' });
    sendJson(res, 404, { error: 'No such route.' });
  };
}
