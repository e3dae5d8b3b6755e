import express from 'express';
import { nodeListener } from 'spandrel/server';
import { handle } from './app.mjs';

const app = express();
app.all(['/spandrel', '/objects'], nodeListener(handle));
// What a shop has anyway: in front of it, this would read the bodies.
app.use(express.json(), express.text({ type: '*/*' }));
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(`port ${port}`);
});
