import { json } from 'node:stream/consumers';
import { TARGETS } from './faults.mjs';

/**
 * The control API, over HTTP for pages and for other processes:
 *
 * | request | does |
 * | --- | --- |
 * | `GET /faults` | the fault of each target, or null |
 * | `POST /faults` | `{ bucket?, endpoint?, store? }`, each a fault or null; those left out stay as they are |
 * | `GET /requests?target=` | the requests logged, oldest first |
 * | `DELETE /requests` | forgets them |
 * | `GET /receipts` | `{ stored, page, lost, error }`, what the endpoint's hooks were told, oldest first |
 * | `GET /ledger` | `{ pages, lost }`, the account of it that `createLedger` made |
 *
 * No CORS, and JSON only where something is changed: pages of other sites cannot reach it.
 *
 * @param {object} parts
 * @param {import('./faults.mjs').Faults} parts.faults
 * @param {import('./request-log.mjs').RequestLog} parts.requests
 * @param {() => unknown} parts.reports
 * @param {() => unknown} parts.ledger
 * @returns {(req: import('node:http').IncomingMessage, res: import('node:http').ServerResponse) => Promise<void>}
 *   Never rejects. Paths are looked at from the last slash on, so it can be mounted anywhere.
 */
export function createControl({ faults, requests, reports, ledger }) {
  /** @param {import('node:http').IncomingMessage} req */
  async function setFaults(req) {
    if (!req.headers['content-type']?.startsWith('application/json'))
      throw new TypeError('content-type: takes application/json');
    const wanted = /** @type {Record<string, any>} */ (await json(req));
    if (typeof wanted !== 'object' || wanted === null) throw new TypeError('body: takes an object');
    const unknown = Object.keys(wanted).find((name) => !TARGETS.some((target) => target === name));
    if (unknown !== undefined) throw new TypeError(`fault target: got ${JSON.stringify(unknown)}`);
    for (const target of TARGETS) if (wanted[target] !== undefined) faults.set(target, wanted[target]);
  }

  /** @param {import('node:http').IncomingMessage} req */
  async function answer(req) {
    const url = new URL(req.url ?? '/', 'http://host');
    const route = `${req.method} ${url.pathname.slice(url.pathname.lastIndexOf('/'))}`;
    if (route === 'POST /faults') await setFaults(req);
    if (route === 'POST /faults' || route === 'GET /faults') return faults.current();
    if (route === 'GET /receipts') return reports();
    if (route === 'GET /ledger') return ledger();
    if (route === 'DELETE /requests') requests.clear();
    if (route === 'DELETE /requests' || route === 'GET /requests') {
      const target = TARGETS.find((target) => target === url.searchParams.get('target'));
      return requests.list(target);
    }
    return undefined;
  }

  return async (req, res) => {
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    try {
      const body = await answer(req);
      res
        .writeHead(body === undefined ? 404 : 200, headers)
        .end(JSON.stringify(body ?? { error: 'no such route' }));
    } catch (error) {
      res
        .writeHead(400, headers)
        .end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
    }
  };
}
