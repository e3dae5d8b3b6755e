/**
 * What went over the wire, for assertions. Signatures and tokens are credentials, so of a query only the names
 * are kept. Whether a request had `keepalive` cannot be told from outside the browser.
 *
 * @typedef {object} LoggedRequest
 * @property {import('./faults.mjs').Target} target
 * @property {string} method
 * @property {string} path Without query.
 * @property {string} [key] Object key, for requests to the bucket.
 * @property {string[]} queryNames
 * @property {Record<string, string>} headers Origin, and those on content and conditions.
 * @property {string} httpVersion `1.1` or `2.0`.
 * @property {number} bytes Body bytes received.
 * @property {number} status HTTP status, from when the answer's head goes out; 0 until then, and for ever when none did.
 * @property {string} [fault] Kind of the fault that struck.
 * @property {number} atMillis Arrival, epoch milliseconds.
 * @property {boolean} done True once answered, or the connection is gone.
 */

/** The demo runs for hours: the oldest requests are forgotten beyond this many. */
const MAX_LOGGED_COUNT = 10_000;

const KEPT_HEADERS = [
  'origin',
  'content-type',
  'content-encoding',
  'content-length',
  'if-none-match',
  'access-control-request-method',
  'access-control-request-headers',
];

/**
 * @typedef {object} RequestLog
 * @property {(target: import('./faults.mjs').Target, key: string | undefined,
 *   req: import('node:http').IncomingMessage, res: import('node:http').ServerResponse) => LoggedRequest} begin
 *   Adds an entry, which the gate fills in as things happen.
 * @property {(target?: import('./faults.mjs').Target) => LoggedRequest[]} list Oldest first.
 * @property {() => void} clear
 */

/** @returns {RequestLog} */
export function createRequestLog() {
  /** @type {LoggedRequest[]} */
  let entries = [];
  return {
    begin(target, key, req, res) {
      const { pathname, searchParams } = new URL(req.url ?? '/', 'http://host');
      /** @type {Record<string, string>} */
      const headers = {};
      for (const name of KEPT_HEADERS) if (req.headers[name]) headers[name] = String(req.headers[name]);
      /** @type {LoggedRequest} */
      const entry = {
        target,
        method: req.method ?? '',
        path: pathname,
        ...(key !== undefined && { key }),
        queryNames: [...searchParams.keys()],
        headers,
        httpVersion: req.httpVersion,
        bytes: 0,
        status: 0,
        atMillis: Date.now(),
        done: false,
      };
      res.once('close', () => {
        entry.done = true;
      });
      entries.push(entry);
      if (entries.length > MAX_LOGGED_COUNT) entries = entries.slice(-MAX_LOGGED_COUNT);
      return entry;
    },
    list: (target) => entries.filter((entry) => target === undefined || entry.target === target),
    clear() {
      entries = [];
    },
  };
}
