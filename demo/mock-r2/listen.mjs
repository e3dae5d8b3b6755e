import http from 'node:http';

/**
 * @typedef {object} Listening
 * @property {string} origin `http://127.0.0.1:{port}`.
 * @property {import('node:http').Server} server
 * @property {() => Promise<void>} close Breaks open connections off.
 */

/**
 * Starts an HTTP server on the loopback interface only: faults can be set through it.
 *
 * @param {import('node:http').RequestListener} listener
 * @param {number} [port] Default 0, a free one.
 * @returns {Promise<Listening>} Rejects when the port is taken.
 */
export async function listen(listener, port = 0) {
  const server = http.createServer(listener);
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(undefined));
  });
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    origin: `http://127.0.0.1:${address.port}`,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * The same with a target's faults: while the target is down, connections are reset as they come, and those open
 * are cut. The port stays ours, so that nobody takes it in the meantime.
 *
 * @param {import('./faults.mjs').Target} target
 * @param {import('./faults.mjs').Faults} faults
 * @param {import('node:http').RequestListener} listener
 * @param {number} [port]
 * @returns {Promise<Listening>}
 */
export async function listenWithFaults(target, faults, listener, port) {
  const listening = await listen(listener, port);
  listening.server.on('connection', (socket) => {
    if (faults.isShut(target)) socket.resetAndDestroy();
  });
  faults.onShut((shut) => {
    if (shut === target) listening.server.closeAllConnections();
  });
  return listening;
}
