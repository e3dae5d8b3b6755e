import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * A handler for `fetch`-style runtimes, as a listener for Node's server.
 *
 * @param {(request: Request) => Promise<Response>} handler
 * @returns {(req: import('node:http').IncomingMessage, res: import('node:http').ServerResponse) => Promise<void>}
 */
export const fetchListener = (handler) => async (req, res) => {
  const method = req.method ?? 'GET';
  const hasBody = method !== 'GET' && method !== 'HEAD';
  // Those of HTTP/2 itself, such as `:path`, are no headers to `fetch`.
  const headers = Object.entries(req.headers).flatMap(([name, value = '']) =>
    name.startsWith(':') ? [] : [/** @type {[string, string]} */ ([name, String(value)])],
  );
  const request = new Request(new URL(req.url ?? '/', `http://${req.headers.host}`), {
    method,
    headers,
    ...(hasBody && { body: /** @type {any} */ (Readable.toWeb(req)), duplex: 'half' }),
  });
  const response = await handler(request);
  res.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body) await pipeline(Readable.fromWeb(/** @type {any} */ (response.body)), res);
  else res.end();
};
