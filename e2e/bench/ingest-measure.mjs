// What the ingest bench measures, the same in Node and in a Worker: a handler that signs nothing, and URLs by four ways to
// come by them.
import { AwsV4Signer } from 'aws4fetch';
import { createIngest, s3 } from '../../dist/server.js';
import { createBareSigner } from './bare-signer.mjs';

const STORE = {
  host: 'account.r2.cloudflarestorage.com',
  bucket: 'traces',
  accessKeyId: '0123456789abcdef0123456789abcdef',
  secretAccessKey: '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
  region: 'auto',
};
const EXPIRES = 900;
const { host, bucket, ...identity } = STORE;

const bare = createBareSigner(STORE);
const storage = s3({ endpoint: `https://${host}`, bucket, ...identity });
/** @type {Map<string, ArrayBuffer>} */
const cache = new Map();

const ingest = createIngest({ storage, allowedOrigins: '*', maxUploads: 100 });

let count = 0;
const nextId = () => `0190a5b0-7c3e-7cc3-98c4-${String(count++).padStart(12, '0')}`;
const nextKey = () =>
  `otlp/v1/shop/production/year=2026/month=11/day=21/hour=03/minute=04/traces_${nextId()}.json.gz`;

/** What a page sends that wants so many uploads. @param {number} urls */
const exchangeOf = (urls) => {
  const wants = Array.from({ length: urls }, () => ({ id: nextId(), bytes: 8_192 }));
  const body = JSON.stringify({ v: 2, client: 'spandrel/0.2.0', wants, stored: [], lost: {} });
  return new Request('https://shop.example/spandrel', { method: 'POST', body });
};

/** The same request signed by aws4fetch, its day's key cached. @param {string} key @param {number} atMillis */
async function byAws4fetch(key, atMillis) {
  const path = key.split('/').map(encodeURIComponent).join('/');
  const signer = new AwsV4Signer({
    ...identity,
    service: 's3',
    method: 'PUT',
    url: `https://${host}/${bucket}/${path}?X-Amz-Expires=${EXPIRES}`,
    headers: { 'content-type': 'application/gzip', 'if-none-match': '*' },
    datetime: new Date(atMillis).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    cache,
    signQuery: true,
    allHeaders: true,
  });
  return (await signer.sign()).url.href;
}

/** Each makes as many URLs at once as it is asked for. @type {Record<string, (urls: number) => Promise<unknown>>} */
export const WAYS = {
  'a handler that signs nothing': async (urls) => {
    const { wants } = JSON.parse(await exchangeOf(urls).text());
    const response = new Response(JSON.stringify({ v: 2, uploads: wants }), {
      headers: { 'content-type': 'application/json' },
    });
    await response.json();
  },
  'bare WebCrypto': (urls) => at(urls, () => bare(nextKey(), EXPIRES, Date.now())),
  'bare aws4fetch': (urls) => at(urls, () => byAws4fetch(nextKey(), Date.now())),
  's3().presign': (urls) => at(urls, async () => storage.presign?.(nextKey(), { expiresInSeconds: EXPIRES })),
  'an exchange': async (urls) => {
    const response = await ingest(exchangeOf(urls));
    const { uploads } = await response.json();
    if (uploads.filter((/** @type {object} */ one) => 'url' in one).length !== urls)
      throw new Error('no URLs');
  },
};

/** @param {number} urls @param {() => Promise<unknown>} make */
const at = (urls, make) => Promise.all(Array.from({ length: urls }, make));

/** @param {string} way @param {number} batch @param {number} urls */
export async function issue(way, batch, urls) {
  const make = /** @type {(urls: number) => Promise<unknown>} */ (WAYS[way]);
  for (let left = urls; left > 0; left -= batch) await make(batch);
}

/** The bare signer signs what `s3()` signs, or its figure is of something else. */
export async function check() {
  const [key, atMillis] = [nextKey(), Date.UTC(2026, 10, 21)];
  const fixed = s3({ endpoint: `https://${host}`, bucket, ...identity, now: () => atMillis });
  const theirs = await fixed.presign?.(key, { expiresInSeconds: EXPIRES });
  const signature = (/** @type {string | undefined} */ url) =>
    new URL(String(url)).searchParams.get('X-Amz-Signature');
  const ours = [await bare(key, EXPIRES, atMillis), await byAws4fetch(key, atMillis)].map(signature);
  // The order of parameters is signed sorted, however a URL has them.
  if (ours.some((one) => one !== signature(theirs?.url))) throw new Error('the signers do not agree');
}
