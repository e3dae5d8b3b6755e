// What the bench of OTLP in measures, the same in Node and in a Worker: requests of spans into a store that does nothing.
import { createIngest } from '../../dist/server.js';

const KEY = 'key-of-the-operator-0123456789';

/** @typedef {{ json: Uint8Array<ArrayBuffer>, 'json, gzip': Uint8Array<ArrayBuffer>, protobuf: Uint8Array<ArrayBuffer>, 'protobuf, gzip': Uint8Array<ArrayBuffer> }} Bodies */

/** @type {import('../../src/server.js').Storage} */
const storage = {
  put: async () => 'created',
  head: async () => undefined,
  list: async () => ({ objects: [] }),
  get: async () => undefined,
  delete: async () => undefined,
};

const ingest = createIngest({ storage, allowedOrigins: [], otlp: { keys: [KEY] } });

/** What one would write by hand: a key, a body, an object. Nothing is looked at. @param {Request} request */
async function bare(request) {
  if (request.headers.get('authorization') !== `Bearer ${KEY}`) return new Response('', { status: 401 });
  await storage.put(crypto.randomUUID(), new Uint8Array(await request.arrayBuffer()));
  return Response.json({});
}

/** The same, where the object is to be gzip of JSON as all others are. @param {Request} request */
async function barePacked(request) {
  const isGzip = request.headers.get('content-encoding') === 'gzip';
  const body = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (request.body);
  const raw = isGzip ? body.pipeThrough(new DecompressionStream('gzip')) : body;
  const text = JSON.stringify(JSON.parse(await new Response(raw).text()));
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  await storage.put(crypto.randomUUID(), new Uint8Array(await new Response(packed).arrayBuffer()));
  return Response.json({});
}

/** @type {Record<string, [handler: (request: Request) => Promise<Response>, body: keyof Bodies]>} */
export const WAYS = {
  'bare: stored as it comes': [bare, 'json, gzip'],
  'bare: read, written and packed': [barePacked, 'json, gzip'],
  'endpoint, JSON': [ingest, 'json'],
  'endpoint, JSON in gzip': [ingest, 'json, gzip'],
  'endpoint, protobuf': [ingest, 'protobuf'],
  'endpoint, protobuf in gzip': [ingest, 'protobuf, gzip'],
};

/** @param {string} way @param {Bodies} bodies @param {number} requests */
export async function take(way, bodies, requests) {
  const [handler, name] = WAYS[way] ?? [];
  if (!handler || !name) throw new Error(`no way "${way}"`);
  const headers = {
    authorization: `Bearer ${KEY}`,
    'content-type': name.startsWith('json') ? 'application/json' : 'application/x-protobuf',
    ...(name.endsWith('gzip') ? { 'content-encoding': 'gzip' } : {}),
  };
  for (let left = requests; left > 0; left--) {
    const init = { method: 'POST', headers, body: bodies[name] };
    const { status } = await handler(new Request('https://shop.example/spandrel/v1/traces', init));
    if (status !== 200) throw new Error(`${way}: HTTP ${status}`);
  }
}
