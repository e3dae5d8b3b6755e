import { createServer } from 'node:http';
import { Hono } from 'hono';
import { nodeListener } from 'spandrel/server';
import { handle } from './app.mjs';

const app = new Hono();
app.all('/spandrel', (context) => handle(context.req.raw));
app.get('/objects', (context) => handle(context.req.raw));

// In Node; elsewhere `export default app` is all.
const server = createServer(nodeListener((request) => app.fetch(request)));
server.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`port ${port}`);
});
