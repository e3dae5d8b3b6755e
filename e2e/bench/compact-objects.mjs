// A day of a site in a folder, under the keys of a bucket: one visit an object, with ids, times and values of its own.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { visits } from '../../demo/testing/visits.mjs';

const DAY_MILLIS = 86_400_000;
const ID = /"([0-9a-f]{32}|[0-9a-f]{16})"/g;
const AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36',
];

/** @param {number} most */
const upTo = (most) => Math.floor(Math.random() * most);

/** One visit. @param {number} endedAt epoch milliseconds */
export function visitText(endedAt) {
  /** @type {Map<string, string>} */
  const ids = new Map();
  const [request] = visits({ endedAt });
  const agent = AGENTS[upTo(AGENTS.length)];
  const text = JSON.stringify(request)
    .replace(ID, (_, id) => {
      if (!ids.has(id)) ids.set(id, randomBytes(id.length / 2).toString('hex'));
      return `"${ids.get(id)}"`;
    })
    .replace(
      /UnixNano":"(\d{10})\d{9}"/g,
      (_, seconds) => `UnixNano":"${seconds}${String(upTo(1e9)).padStart(9, '0')}"`,
    )
    .replace(/doubleValue":[\d.]+/g, () => `doubleValue":${upTo(30_000) / 10}`)
    .replace(/api\/products/g, () => `api/products/${upTo(500)}`)
    .replace(
      '"attributes":[{"key":"session.id"',
      `"attributes":[{"key":"user_agent.original","value":{"stringValue":"${agent}"}},{"key":"session.id"`,
    );
  return text;
}

/**
 * @param {string} folder
 * @param {number} count objects, spread over the day before yesterday's 24 hours.
 * @returns {{ spans: number, jsonBytes: number, gzipBytes: number, day: string }}
 */
export function writeDay(folder, count) {
  const began = Math.floor(Date.now() / DAY_MILLIS - 2) * DAY_MILLIS;
  const made = { spans: 0, jsonBytes: 0, gzipBytes: 0, day: new Date(began).toISOString().slice(0, 10) };
  for (let index = 0; index < count; index += 1) {
    const atMillis = began + Math.floor((index / count) * DAY_MILLIS);
    const iso = new Date(atMillis).toISOString();
    const text = visitText(atMillis);
    const bytes = gzipSync(text);
    const time = atMillis.toString(16).padStart(12, '0');
    const random = randomBytes(8).toString('hex');
    const uuid = `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(4)}`;
    const inside = `otlp/v1/shop/production/year=${iso.slice(0, 4)}/month=${iso.slice(5, 7)}/day=${iso.slice(8, 10)}/hour=${iso.slice(11, 13)}/minute=${iso.slice(14, 16)}`;
    mkdirSync(path.join(folder, inside), { recursive: true });
    writeFileSync(path.join(folder, inside, `traces_${uuid}.json.gz`), bytes);
    made.spans += text.split('"spanId"').length - 1;
    made.jsonBytes += text.length;
    made.gzipBytes += bytes.length;
  }
  return made;
}
