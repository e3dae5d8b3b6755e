import { createServer } from 'node:http';
import { nodeListener } from 'spandrel/server';
import { handle } from './app.mjs';

const server = createServer(nodeListener(handle));
server.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`port ${port}`);
});
