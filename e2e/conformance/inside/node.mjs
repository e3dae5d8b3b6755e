// Node has no server that speaks Request and Response: a small adapter, as users of Node have one.
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { answer } from './host.mjs';

/** @param {import('node:http').IncomingMessage} req */
function requestOf(req) {
  const hasBody = req.method !== 'GET' && req.method !== 'HEAD';
  return new Request(`http://${req.headers.host}${req.url}`, {
    method: req.method ?? 'GET',
    headers: /** @type {Record<string, string>} */ (req.headers),
    ...(hasBody && { body: /** @type {any} */ (Readable.toWeb(req)), duplex: 'half' }),
  });
}

const server = createServer(async (req, res) => {
  try {
    const response = await answer(requestOf(req));
    // What `fetch` has decoded is neither encoded nor as long any more.
    const isDecoded = response.headers.has('content-encoding');
    const dropped = ['set-cookie', ...(isDecoded ? ['content-encoding', 'content-length'] : [])];
    const headers = [...response.headers].filter(([name]) => !dropped.includes(name)).flat();
    for (const cookie of response.headers.getSetCookie()) headers.push('set-cookie', cookie);
    res.writeHead(response.status, response.statusText, headers);
    // The client's going away ends the body.
    if (response.body) await pipeline(Readable.fromWeb(/** @type {any} */ (response.body)), res);
    else res.end();
  } catch {
    if (!res.headersSent) res.writeHead(500);
    res.end();
  }
});
server.listen(0, '127.0.0.1', () =>
  console.log(`port ${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`),
);
