/** A client that sees what is on the wire: `fetch` would join headers and chunks. */
import http from 'node:http';

/**
 * @typedef {object} AskInit
 * @property {string} [method] Default GET.
 * @property {Record<string, string | string[]>} [headers]
 * @property {string} [body]
 * @property {number} [cancelAfterChunks] Goes away once so many chunks have come.
 * @property {Promise<unknown>} [giveUp] Goes away then.
 * @property {() => void} [onChunk] Hears of each chunk.
 *
 * @typedef {object} Asked
 * @property {number} status 0 when the connection broke before there was one.
 * @property {string[]} headers `name: value`, lower case, sorted, without those of the connection.
 * @property {string} text
 * @property {string} [error] The connection broke.
 */

const OF_THE_CONNECTION = /^(date|connection|keep-alive|server):/;

/**
 * @param {string} url
 * @param {AskInit} [init]
 * @returns {Promise<Asked>}
 */
export function ask(url, { method = 'GET', headers = {}, body, cancelAfterChunks, giveUp, onChunk } = {}) {
  return new Promise((resolve) => {
    /** @type {Asked} */
    const asked = { status: 0, headers: [], text: '' };
    const request = http.request(url, { method, headers, agent: false }, (response) => {
      asked.status = response.statusCode ?? 0;
      const raw = response.rawHeaders;
      asked.headers = raw
        .flatMap((name, at) => (at % 2 ? [] : [`${name.toLowerCase()}: ${raw[at + 1]}`]))
        .filter((line) => !OF_THE_CONNECTION.test(line))
        .sort();
      let chunkCount = 0;
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        asked.text += chunk;
        onChunk?.();
        if (++chunkCount === cancelAfterChunks) request.destroy();
      });
      response.on('error', (error) => done(error));
      response.on('close', () => done());
    });
    const done = (/** @type {Error | undefined} */ error = undefined) => {
      const cancelled = cancelAfterChunks !== undefined && request.destroyed;
      if (error && !cancelled) asked.error = /** @type {any} */ (error).code ?? error.message;
      resolve(asked);
    };
    void giveUp?.then(() => request.destroy());
    request.on('error', done);
    request.end(body);
  });
}
