import { setTimeout as delay } from 'node:timers/promises';
import { listen } from './mock-r2/listen.mjs';
import { sendJson } from './send-json.mjs';
import { startTracing } from './warehouse-tracing.mjs';

const HOLD_MILLIS = 20;

/**
 * Somebody else's service, which the shop's API asks to hold things: `POST /holds` → `{ held: true }`. It hears whose trace
 * it is in, and goes on with it once it is told where its own spans and logs go.
 *
 * @returns {Promise<{ url: string, heard: (string | undefined)[], traceTo: (endpoint: { url: string, key: string }) => void,
 *   close: () => Promise<void> }>} `heard` are the `traceparent` headers, oldest first.
 */
export async function startWarehouse() {
  /** @type {(string | undefined)[]} */
  const heard = [];
  /** @type {ReturnType<typeof startTracing> | undefined} */
  let tracing;

  /** @param {import('node:http').IncomingMessage} req @param {import('node:http').ServerResponse} res */
  async function answer(req, res) {
    let text = '';
    for await (const chunk of req) text += chunk;
    await delay(HOLD_MILLIS);
    const isHold = req.method === 'POST' && req.url === '/holds';
    if (isHold) sendJson(res, 200, { held: true });
    else sendJson(res, 404, { error: 'No such route.' });
    return isHold ? { status: 200, held: text } : { status: 404, held: '' };
  }

  const { origin, close } = await listen(async (req, res) => {
    heard.push(req.headers['traceparent']?.toString());
    if (!tracing) return void (await answer(req, res));
    const { serve, log } = tracing;
    await serve(req, async (span) => {
      const { status, held } = await answer(req, res);
      if (held) log(`held ${held}`, span);
      return status;
    });
  });
  return {
    url: origin,
    heard,
    traceTo(endpoint) {
      tracing = startTracing(endpoint);
    },
    async close() {
      // What its last spans were sent to may be gone.
      await tracing?.stop().catch(() => undefined);
      await close();
    },
  };
}
