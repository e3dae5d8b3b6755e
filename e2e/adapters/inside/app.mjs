// What every runtime serves here: the endpoint over a store in memory, and what has come to lie in it.
import { createIngest } from 'spandrel/server';
import { objects, storage } from './storage.mjs';

const ingest = createIngest({
  storage,
  secret: 'a secret of at least thirty-two characters',
  allowedOrigins: ['https://shop.example'],
  maxRelayBytes: 65_536,
  bodyTimeoutMillis: 1_000,
});

/** @param {Request} request @returns {Promise<Response>} */
export async function handle(request) {
  return new URL(request.url).pathname === '/objects' ? Response.json([...objects]) : ingest(request);
}
