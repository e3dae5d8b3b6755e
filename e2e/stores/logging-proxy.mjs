import http from 'node:http';
import { listen } from '../../demo/mock-r2/listen.mjs';

/**
 * @typedef {object} Passed
 * @property {string} method
 * @property {string} path
 * @property {string} fetchMode `cors` for a `fetch`, `no-cors` for a beacon.
 * @property {number} [status]
 */

/**
 * Stands in front of a store and keeps what passes. The host stays as it was sent, since it is signed.
 *
 * @param {string} origin
 */
export async function startLoggingProxy(origin) {
  const { hostname, port } = new URL(origin);
  /** @type {Passed[]} */
  const requests = [];
  /** @type {string[]} */
  const queries = [];
  const { close, origin: ownOrigin } = await listen((req, res) => {
    const { method = '', url: path = '', rawHeaders: headers } = req;
    const [pathname = '', query = ''] = path.split('?');
    queries.push(query);
    /** @type {Passed} */
    const entry = {
      method,
      path: pathname,
      fetchMode: String(req.headers['sec-fetch-mode']),
    };
    requests.push(entry);
    const onward = http.request({ hostname, port, method, path, headers }, (answer) => {
      entry.status = answer.statusCode ?? 0;
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(res);
    });
    onward.on('error', () => res.destroy());
    // A page that has gone does not take back what it has sent.
    req.pipe(onward);
  });
  return { origin: ownOrigin, requests, queries, close };
}
