import http from 'node:http';
import http2 from 'node:http2';

/**
 * @typedef {object} Tls Key and certificate in PEM. With them a server speaks HTTPS, HTTP/2 where the client does.
 * @property {string} key
 * @property {string} cert
 *
 * @typedef {object} Listening
 * @property {string} origin `http://127.0.0.1:{port}`, or `https:`.
 * @property {import('node:net').Server} server
 * @property {() => void} cut Breaks open connections off.
 * @property {() => Promise<void>} close The same, and no more come.
 */

/**
 * HTTP/2 has `:authority` in the place of Host, which is what signatures are made over.
 *
 * @param {http.RequestListener} listener
 * @returns {http.RequestListener}
 */
const withHost = (listener) => (req, res) => {
  const authority = req.headers[':authority'];
  if (authority !== undefined) req.headers.host ??= String(authority);
  return listener(req, res);
};

/** The compatibility API of node:http2 is that of node:http as far as listeners here go. @param {http.RequestListener} listener @param {Tls} tls */
const createTlsServer = (listener, tls) =>
  http2.createSecureServer({ ...tls, allowHTTP1: true }, /** @type {any} */ (withHost(listener)));

/**
 * Starts a server on the loopback interface only: faults can be set through it.
 *
 * @param {http.RequestListener} listener
 * @param {number} [port] Default 0, a free one.
 * @param {Tls} [tls] Default none: plain HTTP.
 * @returns {Promise<Listening>} Rejects when the port is taken.
 */
export async function listen(listener, port = 0, tls) {
  /** @type {import('node:net').Server} */
  const server = tls ? createTlsServer(listener, tls) : http.createServer(listener);
  // A server of node:http2 has no closeAllConnections().
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(undefined));
  });
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${address.port}`,
    server,
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}

/**
 * The same with a target's faults: while the target is down, connections are reset as they come, and those open
 * are cut. The port stays ours, so that nobody takes it in the meantime.
 *
 * @param {import('./faults.mjs').Target} target
 * @param {import('./faults.mjs').Faults} faults
 * @param {http.RequestListener} listener
 * @param {number} [port]
 * @param {Tls} [tls]
 * @returns {Promise<Listening>}
 */
export async function listenWithFaults(target, faults, listener, port, tls) {
  const listening = await listen(listener, port, tls);
  listening.server.on('connection', (socket) => {
    if (faults.isShut(target)) socket.resetAndDestroy();
  });
  faults.onShut((shut) => {
    if (shut === target) listening.cut();
  });
  return listening;
}

/**
 * What a fault does to a connection.
 *
 * @typedef {object} Connection
 * @property {() => void} reset All that goes over it breaks: with HTTP/2, other requests too.
 * @property {(listener: () => void) => void} onClose
 */

/**
 * The connection of a request. To be taken before the request can have been destroyed, as it has none any more then.
 *
 * @param {http.IncomingMessage} req
 * @returns {Connection}
 */
export function connectionOf(req) {
  const { session } = /** @type {{ stream?: import('node:http2').ServerHttp2Stream }} */ (req).stream ?? {};
  if (session)
    return { reset: () => session.destroy(), onClose: (listener) => void session.once('close', listener) };
  const { socket } = req;
  return {
    // The raw socket below TLS, which alone could send a reset, is out of reach.
    reset: () => void ('encrypted' in socket ? socket.destroy() : socket.resetAndDestroy()),
    onClose: (listener) => void socket.once('close', listener),
  };
}
