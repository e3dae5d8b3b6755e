import { setTimeout as delay } from 'node:timers/promises';
import { listen } from './mock-r2/listen.mjs';
import { sendJson } from './send-json.mjs';

const HOLD_MILLIS = 20;

/**
 * Somebody else's service, which the shop's API asks to hold things: `POST /holds` → `{ held: true }`. It traces
 * nothing, and hears whose trace it is in.
 *
 * @returns {Promise<{ url: string, heard: (string | undefined)[], close: () => Promise<void> }>} `heard` are the
 *   `traceparent` headers, oldest first.
 */
export async function startWarehouse() {
  /** @type {(string | undefined)[]} */
  const heard = [];
  const { origin, close } = await listen(async (req, res) => {
    heard.push(req.headers['traceparent']?.toString());
    for await (const _ of req);
    await delay(HOLD_MILLIS);
    if (req.method === 'POST' && req.url === '/holds') sendJson(res, 200, { held: true });
    else sendJson(res, 404, { error: 'No such route.' });
  });
  return { url: origin, heard, close };
}
