/** An endpoint spoken to by protocol 2. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import type {
  BlobExchangeRequest,
  BlobExchangeResponse,
  BlobRelayResponse,
  ErrorResponse,
} from '../protocol.js';
import type { IngestOptions } from '../server/ingest-options.js';
import { uuidV7 } from '../server/uuid.js';
import { type IngestHarness, ingestHarness, NOW_MILLIS } from './ingest-harness.js';

export const DAY_MILLIS = 86_400_000;
export const JSON_TEXT = '{"resourceSpans":[{"scopeSpans":[]}]}';
export const GZIP: Uint8Array<ArrayBuffer> = new Uint8Array(gzipSync(JSON_TEXT));

let made = 0;
/** Another one each time. */
export function idAt(atMillis = NOW_MILLIS): string {
  made += 1;
  const random = new Uint8Array(10);
  new DataView(random.buffer).setUint32(4, made);
  return uuidV7(atMillis, random);
}

export const GOOD_ID = '0190a5b0-7c3e-7cc3-98c4-dc0c0c07398f';
// No id at all, of another version or variant, spelled otherwise, with something around it, paths, names of JavaScript's.
export const NO_IDS: string[] = [
  ...['', 'x', '0', 'undefined', '__proto__', 'constructor', '../../etc/passwd', '..', '/', '%2e%2e', 'a/b'],
  ...[GOOD_ID.toUpperCase(), GOOD_ID.replaceAll('-', ''), `{${GOOD_ID}}`, `urn:uuid:${GOOD_ID}`],
  ...[
    `${GOOD_ID}\n`,
    ` ${GOOD_ID}`,
    `${GOOD_ID}/`,
    `${GOOD_ID}/../x`,
    `../${GOOD_ID}`,
    `${GOOD_ID}\u0000`,
    `${GOOD_ID}.`,
  ],
  ...[GOOD_ID.replace('-7cc3', '-4cc3'), GOOD_ID.replace('-7cc3', '-8cc3'), GOOD_ID.replace('-98', '-c8')],
  ...[
    GOOD_ID.replace('0190', '٠١٩٠'),
    GOOD_ID.replace('a5', 'ａ5'),
    GOOD_ID.slice(1),
    `${GOOD_ID}0`,
    'f'.repeat(1_024),
  ],
];

/** What came back, read: of exchanges and relays. */
export interface BlobAnswer {
  status: number;
  headers: Headers;
  body: BlobExchangeResponse & BlobRelayResponse & ErrorResponse;
}

export interface BlobHarness extends Omit<IngestHarness, 'exchange'> {
  exchange(said: Partial<BlobExchangeRequest>, headers?: Record<string, string>): Promise<BlobAnswer>;
  relay(id: string, body?: BodyInit, headers?: Record<string, string>, more?: string): Promise<BlobAnswer>;
  /** The key that an upload's URL is for. */
  keyOf(id: string): Promise<string>;
}

/** Without a secret, unless one is given. */
export function blobHarness(options: Partial<IngestOptions> = {}): BlobHarness {
  const harness = ingestHarness(options, false);
  const send = async (init: Parameters<IngestHarness['send']>[0]): Promise<BlobAnswer> =>
    (await harness.send(init)) as unknown as BlobAnswer;
  const exchange: BlobHarness['exchange'] = (said, headers = {}) =>
    send({ body: JSON.stringify({ v: 2, ...said }), headers });
  return {
    ...harness,
    exchange,
    relay: (id, body = GZIP, headers = {}, more = '') =>
      send({ query: `?relay=${encodeURIComponent(id)}${more}`, body, headers }),
    async keyOf(id) {
      const { body } = await exchange({ wants: [{ id, bytes: 100 }] });
      const [upload] = body.uploads;
      assert.ok(upload && 'url' in upload, JSON.stringify(upload));
      return new URL(upload.url).pathname.slice('/bucket/'.length);
    },
  };
}

/** By hand, from the time in the id. */
export function datedKey(id: string, root = 'otlp/v1/default/production'): string {
  const at = new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `year=${at.getUTCFullYear()}/month=${two(at.getUTCMonth() + 1)}/day=${two(at.getUTCDate())}`;
  return `${root}/${day}/hour=${two(at.getUTCHours())}/minute=${two(at.getUTCMinutes())}/traces_${id}.json.gz`;
}
