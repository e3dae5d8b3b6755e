import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** A browser's part in the exchange, by hand. */

/** @typedef {{ status: number, headers: import('node:http').IncomingHttpHeaders, body: Buffer, text: string }} Answer */

/**
 * One request, with any header a browser may send (`fetch` forbids some) and no answer read twice.
 *
 * @param {string} url
 * @param {{ method?: string, headers?: Record<string, string>, body?: string | Uint8Array, agent?: http.Agent }} [init]
 * @returns {Promise<Answer>} Rejects when the connection breaks.
 */
export function send(url, { method = 'GET', headers = {}, body, agent } = {}) {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { method, headers, ...(agent && { agent }) }, async (res) => {
      try {
        const chunks = [];
        for await (const chunk of res) chunks.push(chunk);
        const body = Buffer.concat(chunks);
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body, text: body.toString() });
      } catch (error) {
        reject(error);
      }
    });
    req.once('error', reject);
    if (body !== undefined) req.setHeader('content-length', Buffer.byteLength(body));
    req.end(body);
  });
}

/**
 * One exchange with the endpoint.
 *
 * @param {string} url
 * @param {string} origin
 * @param {Partial<import('../../src/protocol.js').ExchangeRequest>} request
 */
export function exchange(url, origin, request) {
  const whole = { v: 1, want: 0, stored: [], confirm: [], renew: [], lost: {}, ...request };
  return send(url, {
    method: 'POST',
    headers: { origin, 'content-type': 'text/plain' },
    body: JSON.stringify(whole),
  });
}

/**
 * Fresh presigned uploads.
 *
 * @param {string} url
 * @param {string} origin
 * @param {number} count
 * @param {number} [size] Bytes that each is for. Default: what the endpoint chooses.
 * @returns {Promise<import('../../src/protocol.js').PresignedUpload[]>}
 */
export async function uploads(url, origin, count, size) {
  const sizes = size === undefined ? [] : Array(count).fill(size);
  const { text } = await exchange(url, origin, { want: count, sizes });
  return JSON.parse(text).uploads;
}

/**
 * Puts bytes as the upload says.
 *
 * @param {import('../../src/protocol.js').PresignedUpload} upload
 * @param {Uint8Array} body
 * @param {Record<string, string>} [headers] Over the upload's.
 * @param {http.Agent} [agent]
 */
export const put = (upload, body, headers = {}, agent) =>
  send(upload.url, {
    method: upload.method,
    headers: { ...upload.headers, ...headers },
    body,
    ...(agent && { agent }),
  });

/** Waits until `condition` holds; the test's own timeout ends it. @param {() => boolean} condition */
export async function until(condition) {
  while (!condition()) await delay(5);
}
