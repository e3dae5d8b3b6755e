import { SpanStatusCode, trace } from '@opentelemetry/api';

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
/** Prices come from somewhere. */
const PRICING_MILLIS = 8;

/** @param {number} millis */
const delay = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/** @param {number} status @param {unknown} body */
const json = (status, body) => Response.json(body, { status, headers: { 'cache-control': 'no-store' } });

/**
 * Runs `work` in a span of its own, which the requests and spans that begin in it have as their parent. Without a
 * tracer provider it just runs.
 *
 * @template T
 * @param {string} name
 * @param {import('@opentelemetry/api').Attributes} attributes
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
const step = (name, attributes, work) =>
  trace.getTracer('shop-api').startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
      throw error;
    } finally {
      span.end();
    }
  });

/** @returns {ReadableStream<Uint8Array>} of JSON, for 1.5 s */
function slowly() {
  const encoder = new TextEncoder();
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      await delay(SLOW_STEP_MILLIS);
      const stone = JSON.stringify({ id: PRODUCTS[sent]?.id, left: 3 + sent });
      controller.enqueue(encoder.encode((sent === 0 ? '{"stock":[' : ',') + stone));
      sent += 1;
      if (sent < SLOW_STEPS) return;
      controller.enqueue(encoder.encode(']}'));
      controller.close();
    },
  });
}

/**
 * The demo shop's own API, something real to trace:
 * `GET /api/products`, `GET /api/products/:id`, `POST /api/cart` `{ id }` → `{ count, total }`, `GET /api/slow`
 * (streamed for 1.5 s), `GET /api/fail` (always 500). Runs in a Worker and in Node alike.
 *
 * @param {{ warehouseUrl: string }} options Of the service that holds what is in the cart.
 * @returns {(request: Request) => Promise<Response>}
 */
export function createShopApi({ warehouseUrl }) {
  /** What everybody has put aside, for as long as this runs: a shop that is one would keep it. */
  const cart = /** @type {typeof PRODUCTS} */ ([]);
  const find = (/** @type {unknown} */ id) => PRODUCTS.find((product) => product.id === id);

  /** @param {typeof PRODUCTS} products */
  const price = (products) =>
    step('price basket', { 'basket.size': products.length }, async () => {
      await delay(PRICING_MILLIS);
      return products.reduce((sum, product) => sum + product.price, 0);
    });

  /** @param {string} id */
  const hold = (id) =>
    step('hold stock', { 'product.id': id }, async () => {
      const answer = await fetch(`${warehouseUrl}/holds`, { method: 'POST', body: JSON.stringify({ id }) });
      if (!answer.ok) throw new Error(`the warehouse answered ${answer.status}`);
      return answer.json();
    });

  /** @type {Record<string, (request: Request, id: string) => Response | Promise<Response>>} */
  const routes = {
    'GET /api/products': () => json(200, PRODUCTS),
    'GET /api/products/:id': (_request, id) => {
      const product = find(id);
      return json(product ? 200 : 404, product ?? { error: 'No such product.' });
    },
    'POST /api/cart': async (request) => {
      const wanted = /** @type {any} */ (await request.json().catch(() => undefined));
      const product = find(wanted?.id);
      if (!product) return json(404, { error: 'No such product.' });
      const total = await price([...cart, product]);
      await hold(product.id);
      cart.push(product);
      return json(200, { count: cart.length, total });
    },
    'GET /api/slow': () => {
      const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
      return new Response(slowly(), { headers });
    },
    'GET /api/fail': () => json(500, { error: 'The mortar has not set.' }),
  };

  return async (request) => {
    const [, path = '', id = ''] = /^(\/api\/[^/]+)(?:\/([^/]+))?$/.exec(new URL(request.url).pathname) ?? [];
    const route = id ? `${path}/:id` : path;
    const answer = routes[`${request.method} ${route}`];
    if (!answer) return json(404, { error: 'No such route.' });
    // Whoever traces the request names its span after it.
    trace.getActiveSpan()?.setAttribute('http.route', route);
    return answer(request, id);
  };
}
