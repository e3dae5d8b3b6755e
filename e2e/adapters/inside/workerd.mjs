import { Hono } from 'hono';
import { handle } from './app.mjs';

const app = new Hono();
app.all('*', (context) => handle(context.req.raw));

/** Half of the requests by way of Hono: its adapter for Workers is none. */
let requests = 0;
export default {
  /** @param {Request} request */
  fetch: (request) => (requests++ % 2 ? app.fetch(request) : handle(request)),
};
