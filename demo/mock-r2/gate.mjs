import { pipeline } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { agePresignedUrl } from './age-presigned-url.mjs';
import { answerHeaders, isPreflight, preflightHeaders } from './cors.mjs';
import { faultAnswer } from './fault-answer.mjs';
import { ANSWER_HOP_BY_HOP, forward } from './forward.mjs';
import { connectionOf } from './listen.mjs';
import { throttle } from './throttle.mjs';

/**
 * @typedef {object} CorsSettings
 * @property {import('./cors.mjs').CorsRule[]} rules
 * @property {boolean | number[]} errorsWithoutCors True: answers from 400 on carry no CORS headers, so that a page
 *   sees a network error, as it does with R2; a list: only those statuses; false: none.
 *
 * @typedef {object} GateOptions
 * @property {import('./faults.mjs').Target} target
 * @property {() => URL} upstream Where the real one listens.
 * @property {import('./faults.mjs').Faults} faults
 * @property {import('./request-log.mjs').RequestLog} log
 * @property {() => CorsSettings} cors
 * @property {boolean} ownsCors True: CORS is done here, and the real one neither sees the Origin (Miniflare turns
 *   those that are not loopback away) nor has its own CORS headers passed on. False: its headers pass untouched,
 *   and the rules serve only the answers that a fault gives in its place.
 * @property {(path: string) => string | undefined} [keyOf] Object key of a path.
 * @property {(key: string) => void} [onStored] An object was put.
 */

/** @param {CorsSettings} cors @param {number} status */
const hidesCors = ({ errorsWithoutCors }, status) =>
  Array.isArray(errorsWithoutCors) ? errorsWithoutCors.includes(status) : errorsWithoutCors && status >= 400;

/** Unreferenced: what is still held back when everything is closed must not keep the process. @param {import('./faults.mjs').Slow} slow */
const holdBack = ({ delayMillis = 0 }) => delay(delayMillis, undefined, { ref: false });

/**
 * A request listener in front of the real thing: strikes with faults, does CORS, logs, and passes the rest on.
 *
 * @param {GateOptions} options
 * @returns {(req: import('node:http').IncomingMessage, res: import('node:http').ServerResponse) => void}
 */
export function createGate({ target, upstream, faults, log, cors, ownsCors, keyOf, onStored }) {
  /** @param {import('node:http').IncomingMessage} req @param {number} status */
  const corsHeaders = ({ headers, method }, status) =>
    hidesCors(cors(), status) ? {} : answerHeaders(cors().rules, headers.origin, method ?? '');

  /**
   * @param {import('node:http').IncomingMessage} req
   * @param {import('node:http').ServerResponse} res
   * @param {import('./listen.mjs').Connection} connection
   */
  async function handle(req, res, connection) {
    const url = req.url ?? '/';
    const method = req.method ?? '';
    const key = keyOf?.(url.split('?')[0] ?? '');
    const entry = log.begin(target, key, req, res);
    const fault = faults.strike(target, method);
    if (fault) entry.fault = fault.kind;
    const begin = (/** @type {number} */ status, /** @type {Record<string, unknown>} */ headers) => {
      entry.status = status;
      return res.writeHead(status, /** @type {import('node:http').OutgoingHttpHeaders} */ (headers));
    };

    if (fault?.kind === 'down') return connection.reset();
    if (fault?.kind === 'hang') return faults.hold(target, connection);
    if (fault?.kind === 'status') {
      // The body is read first: a connection closed over unread bytes may take the answer with it.
      for await (const chunk of req) entry.bytes += chunk.length;
      const { headers, body } = faultAnswer(target, fault);
      return void begin(fault.status, { ...headers, ...corsHeaders(req, fault.status) }).end(body);
    }
    if (ownsCors && isPreflight(req)) {
      if (fault?.kind === 'slow') await holdBack(fault);
      const headers = preflightHeaders(cors().rules, req.headers);
      return void begin(headers ? 204 : 403, headers ?? {}).end();
    }

    const answer = await forward(req, upstream(), {
      path: fault?.kind === 'clock' ? agePresignedUrl(url, fault, Date.now()) : url,
      dropsHeader: (name) => ownsCors && name === 'origin',
      ...(fault?.kind === 'slow' && fault.bytesPerSecond && { bytesPerSecond: fault.bytesPerSecond }),
      onBytes(bytes) {
        entry.bytes += bytes;
        return !(fault?.kind === 'reset' && entry.bytes > (fault.afterBytes ?? 0));
      },
    });
    const status = answer.statusCode ?? 502;
    if (method === 'PUT' && status === 200 && key !== undefined) onStored?.(key);
    if (fault?.kind === 'lost-answer') {
      answer.destroy();
      return connection.reset();
    }
    if (fault?.kind === 'slow') await holdBack(fault);

    const headers = Object.entries(answer.headers).filter(
      ([name]) =>
        !ANSWER_HOP_BY_HOP.includes(name) &&
        !(ownsCors && (name === 'vary' || name.startsWith('access-control-'))),
    );
    begin(status, {
      ...Object.fromEntries(headers),
      ...(ownsCors && corsHeaders(req, status)),
    });
    const done = () => undefined;
    if (fault?.kind === 'slow' && fault.bytesPerSecond)
      pipeline(answer, throttle(fault.bytesPerSecond), res, done);
    else pipeline(answer, res, done);
  }

  return (req, res) => {
    // A broken passage is a broken connection to the client too; there is nobody left to tell.
    const connection = connectionOf(req);
    handle(req, res, connection).catch(connection.reset);
  };
}
