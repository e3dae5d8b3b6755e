/** A collector that says what it is told to. */
import { gunzipSync } from 'node:zlib';

/**
 * @typedef {object} SinkAnswer
 * @property {number} [status] Default 200.
 * @property {Record<string, string>} [headers]
 * @property {string | Uint8Array} [body] Default `{}`.
 * @property {boolean} [hang] Never answers.
 *
 * @typedef {object} SinkRequest
 * @property {string} path
 * @property {Record<string, string>} headers
 * @property {Uint8Array} bytes
 * @property {Buffer} inflated Whatever their encoding.
 * @property {number} status What it was answered; 0 for nothing.
 *
 * @typedef {object} Sink
 * @property {SinkRequest[]} requests Oldest first.
 * @property {(answers: readonly SinkAnswer[]) => void} reset Forgets all, and answers so from now on.
 * @property {(req: import('node:http').IncomingMessage, res: import('node:http').ServerResponse) => Promise<void>} listener
 */

/** @returns {Sink} */
export function createSink() {
  /** @type {SinkRequest[]} */
  const requests = [];
  /** @type {SinkAnswer[]} */
  let answers = [];
  return {
    requests,
    reset(next) {
      requests.length = 0;
      answers = [...next];
    },
    async listener(req, res) {
      /** @type {Uint8Array[]} */
      const chunks = [];
      for await (const chunk of req) chunks.push(chunk);
      const { status = 200, headers = {}, body = '{}', hang = false } = answers.shift() ?? {};
      const bytes = Buffer.concat(chunks);
      requests.push({
        path: req.url ?? '',
        headers: /** @type {Record<string, string>} */ ({ ...req.headers }),
        bytes,
        inflated: req.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes,
        status: hang ? 0 : status,
      });
      if (hang) return;
      res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
    },
  };
}
