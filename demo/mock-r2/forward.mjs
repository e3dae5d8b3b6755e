import http from 'node:http';
import { PassThrough, pipeline, Transform } from 'node:stream';
import { throttle } from './throttle.mjs';

/** They belong to one connection and not to the message. @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'te', 'trailer'];

/** The same of an answer: HTTP/2 has no words for them. */
export const ANSWER_HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding'];

/**
 * @typedef {object} Passage
 * @property {string} path Path and query to ask for.
 * @property {(name: string) => boolean} dropsHeader Names of request headers to leave out.
 * @property {number} [bytesPerSecond]
 * @property {(bytes: number) => boolean} onBytes Told of each piece of the body; false breaks the passage off.
 */

/**
 * Sends a request on, streaming, and resolves with the answer once its head is there.
 *
 * The Host header goes through as it came: SigV4 signs it, and Miniflare verifies against the Host it receives,
 * so it is the proxy's own host that is signed and nothing about the check is relaxed. (Miniflare refuses Host
 * names that are not loopback below its S3 path: a signed URL for another name cannot be tried here.)
 *
 * @param {import('node:http').IncomingMessage} req
 * @param {URL} upstream
 * @param {Passage} passage
 * @returns {Promise<import('node:http').IncomingMessage>} Rejects when either connection breaks before the answer.
 */
export function forward(req, upstream, passage) {
  const headers = Object.fromEntries(
    Object.entries(req.headers).filter(
      ([name]) =>
        // Those of HTTP/2 itself, such as `:path`.
        !name.startsWith(':') && !HOP_BY_HOP.includes(name) && !passage.dropsHeader(name),
    ),
  );
  return new Promise((resolve, reject) => {
    const out = http.request({
      host: upstream.hostname,
      port: upstream.port,
      method: req.method,
      path: passage.path,
      headers,
      // One connection per request: none to be found closed by the other side when it is used again.
      agent: false,
    });
    let answered = false;
    out.once('response', (answer) => {
      answered = true;
      resolve(answer);
    });
    const counted = new Transform({
      transform: (chunk, _encoding, done) =>
        passage.onBytes(chunk.length) ? done(null, chunk) : done(new Error('broken off')),
    });
    const slowed = passage.bytesPerSecond ? throttle(passage.bytesPerSecond) : new PassThrough();
    pipeline(req, counted, slowed, out, (error) => {
      // A refusal is often answered before the body has been read: the answer counts then, not the body's end.
      if (error && !answered) {
        out.destroy();
        reject(error);
      }
    });
  });
}

/**
 * A listener that passes requests on as they are.
 *
 * @param {() => URL} upstream
 * @returns {(req: import('node:http').IncomingMessage, res: import('node:http').ServerResponse) => Promise<void>}
 */
export const passOn = (upstream) => async (req, res) => {
  const answer = await forward(req, upstream(), {
    path: req.url ?? '/',
    // Asked to, Miniflare compresses, and holds a stream back until there is enough of it.
    dropsHeader: (name) => name === 'accept-encoding',
    onBytes: () => true,
  });
  const headers = Object.entries(answer.headers).filter(([name]) => !ANSWER_HOP_BY_HOP.includes(name));
  res.writeHead(answer.statusCode ?? 502, Object.fromEntries(headers));
  answer.once('error', () => res.destroy());
  answer.pipe(res);
  // Read to its end although nobody is there any more: of each answer that is cut off workerd complains on the
  // terminal, and people leave pages all the time.
  if (res.destroyed) answer.resume();
  else res.once('close', () => answer.resume());
};
