import { sendJson } from './send-json.mjs';

const PAGE_OBJECT_COUNT = 200;
const OVERVIEW = '/viewer/api/overview';

/**
 * What the trace viewer needs of the bucket, and no more: the objects as they are.
 *
 * - `GET /viewer/api/objects?after={key}` → `{ objects: [{ key, size, uploadedAt }], more }`, newest first, at most 200:
 *   those older than `after`, else the newest. `more` says whether there are older ones still.
 * - `GET /viewer/api/object?key=` → the stored bytes, untouched. No Content-Encoding: the page inflates them.
 * - `GET /viewer/api/events` → server-sent events, one message `{ key, size, uploadedAt }` per new object.
 * - `GET /viewer/api/overview…` → what the overview shows: see `src/cli/view/overview/`.
 *
 * @param {Pick<import('./mock-r2/mock-r2.mjs').MockR2, 'bucket' | 'onObject'>} mock
 * @param {{ answer: (what: string, params: URLSearchParams) => Promise<{ status: number, body: unknown }> }} overview
 * @returns {(req: import('node:http').IncomingMessage, res: import('node:http').ServerResponse) => Promise<void>}
 */
export function createViewerApi({ bucket, onObject }, overview) {
  /** @param {import('node:http').ServerResponse} res @param {string | null} after */
  async function sendObjects(res, after) {
    const objects = await bucket.list();
    const from = objects.findIndex(({ key }) => key === after) + 1;
    const to = from + PAGE_OBJECT_COUNT;
    sendJson(res, 200, { objects: objects.slice(from, to), more: to < objects.length });
  }

  /** @param {import('node:http').ServerResponse} res @param {string} key */
  async function sendObject(res, key) {
    const bytes = await bucket.get(key);
    if (!bytes) return sendJson(res, 404, { error: 'No such object.' });
    res
      .writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': bytes.byteLength,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      .end(bytes);
  }

  /** @param {import('node:http').ServerResponse} res */
  function sendEvents(res) {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    res.write('retry: 1000\n\n');
    const stop = onObject(async (key) => {
      const object = await bucket.about(key).catch(() => undefined);
      if (object && res.writable) res.write(`data: ${JSON.stringify(object)}\n\n`);
    });
    res.once('close', stop);
  }

  return async (req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://host');
    if (req.method !== 'GET') return sendJson(res, 405, { error: 'GET only.' });
    if (pathname === '/viewer/api/objects') return sendObjects(res, searchParams.get('after'));
    if (pathname === '/viewer/api/object') return sendObject(res, searchParams.get('key') ?? '');
    if (pathname === '/viewer/api/events') return sendEvents(res);
    if (pathname === OVERVIEW || pathname.startsWith(`${OVERVIEW}/`)) {
      const { status, body } = await overview.answer(pathname.slice(OVERVIEW.length), searchParams);
      return sendJson(res, status, body);
    }
    sendJson(res, 404, { error: 'No such route.' });
  };
}
