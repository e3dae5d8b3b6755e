/** The other side, for tests: one endpoint and one store with conditional writes, as the protocol describes them. */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Message, Receipt, Want } from '../bucket/endpoint.js';
import type { IssuedUpload } from '../bucket/exchange.js';
import type { SamplingRule } from '../protocol.js';
import type { TestBeacon, TestPlatform, TestRequest } from './platform.js';

export const ENDPOINT = 'https://app.test/spandrel';
const BUCKET = 'https://bucket.test/';
/** Of the second destination of a `tee`. */
export const OTHER_ENDPOINT = 'https://other.test/spandrel';
const OTHER_BUCKET = 'https://bucket.other.test/';

/** What becomes of a request. `lost…` are those whose answer never arrives, before or after they took effect. */
export type Fate =
  | 'done'
  | 'lost-before'
  | 'lost-after'
  | 'overloaded' // 503
  | 'patience' // 429 with Retry-After: 7
  | 'forbidden' // 403
  | 'refused' // 400
  | 'missing' // 404
  | 'nonsense'; // 200 with a body that is none of ours

export const FATES: readonly Fate[] = [
  ...(['done', 'lost-before', 'lost-after', 'overloaded', 'patience', 'forbidden'] as const),
  ...(['refused', 'missing', 'nonsense'] as const),
];

export interface Cloud {
  /** Objects by key. */
  readonly objects: ReadonlyMap<string, Uint8Array>;
  /** Everything that clients said of stored objects. */
  readonly receipts: Receipt[];
  /** Spans reported lost, by reason. */
  readonly lost: Record<string, number>;
  readonly exchanges: Message[];
  /** Keys under which the same bytes were, or may have been, stored: by digest of the bytes. */
  readonly keysOf: ReadonlyMap<string, ReadonlySet<string>>;
  /** Lifetime of the URLs it gives. */
  expiresInMs: number;
  paused: boolean;
  rules: SamplingRule[];
  /** How far its clock is ahead of the page's, milliseconds. */
  aheadMillis: number;
  method: 'PUT' | 'POST';
  /** How it signs the length of what is put, up to {@link maxUploadBytes}; undefined: not at all. */
  uploadLength: 'exact' | 'range' | undefined;
  maxUploadBytes: number;
  /** The length that it signs where it signs exact ones. Default: the one that is asked for. */
  lengthFor: (asked: number) => number;
  /** How many it gives at once. */
  maxUploads: number;
  /** Whether it could not pass receipts on. */
  retells: boolean;
  /** Whether it takes nothing but relays. */
  relayOnly: boolean;
  /** Whether a request is for this one. */
  owns(request: { url: string }): boolean;
  /** Lets the request have its effect, and answers it. */
  answer(request: TestRequest, fate?: Fate): Promise<void>;
  /** Lets a beacon arrive. */
  arrive(beacon: TestBeacon): Promise<void>;
  /** Span ids in the bucket, an id as often as it is stored, read by Node's zlib. */
  spanIds(): string[];
  /** The JSON of each object. */
  texts(): string[];
  /** From now on everything that a page asks, by default the first, is answered at once. */
  serve(page?: TestPlatform): void;
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const isExchange = ({ url }: { url: string }): boolean => url === ENDPOINT || url === OTHER_ENDPOINT;
export const isRelay = ({ url }: { url: string }): boolean => url.includes('?relay=');
export const isUpload = ({ url }: { url: string }): boolean =>
  url.startsWith(BUCKET) || url.startsWith(OTHER_BUCKET);

export function testCloud(platform: TestPlatform, endpoint = ENDPOINT): Cloud {
  const bucketUrl = endpoint === ENDPOINT ? BUCKET : OTHER_BUCKET;
  const objects = new Map<string, Uint8Array>();
  const keysOf = new Map<string, Set<string>>();
  const expiries = new Map<string, number>();
  const limits = new Map<string, Pick<IssuedUpload, 'bytes' | 'maxBytes'>>();
  let serial = 0;

  const limitOf = (asked: number): Pick<IssuedUpload, 'bytes' | 'maxBytes'> => {
    if (self.uploadLength === 'exact') return { bytes: Math.min(self.lengthFor(asked), self.maxUploadBytes) };
    return self.uploadLength ? { maxBytes: self.maxUploadBytes } : {};
  };
  const presign = (id: string, asked: number): IssuedUpload => {
    const url = `${bucketUrl}${id}?sig=${++serial}`;
    expiries.set(url, platform.now() + self.expiresInMs);
    const limit = limitOf(asked);
    limits.set(url, limit);
    const fields = self.method === 'POST' ? { fields: { key: id } } : {};
    const headers: Record<string, string> = self.method === 'POST' ? {} : { 'if-none-match': '*' };
    return { id, method: self.method, url, headers, ...fields, expiresInMs: self.expiresInMs, ...limit };
  };

  /** Stores once. @returns whether the object is new. */
  const put = (key: string, bytes: Uint8Array): boolean => {
    const keys = keysOf.get(digest(bytes)) ?? new Set();
    keysOf.set(digest(bytes), keys.add(key));
    if (objects.has(key)) return false;
    objects.set(key, bytes);
    return true;
  };

  const bytesOf = async (body: unknown): Promise<Uint8Array> => {
    const file = body instanceof FormData ? body.get('file') : body;
    return file instanceof Blob ? new Uint8Array(await file.arrayBuffer()) : (file as Uint8Array);
  };
  const keyOf = (url: string): string => new URL(url).pathname.slice(1);

  const upload = (url: string, bytes: Uint8Array): { status: number; body: string } => {
    if (platform.now() > (expiries.get(url) ?? 0)) return { status: 403, body: 'ExpiredRequest' };
    const { bytes: exact = bytes.length, maxBytes = bytes.length } = limits.get(url) ?? {};
    if (bytes.length !== exact) return { status: 403, body: 'SignatureDoesNotMatch' };
    if (bytes.length > maxBytes) return { status: 400, body: 'EntityTooLarge' };
    return { status: put(keyOf(url), bytes) ? 200 : 412, body: '' };
  };
  const relay = (url: string, bytes: Uint8Array): { status: number; body: string } => {
    const id = new URL(url).searchParams.get('relay') as string;
    const isGzip = bytes[0] === 0x1f;
    const created = put(id, isGzip ? bytes : new Uint8Array(gzipSync(bytes)));
    return { status: 200, body: JSON.stringify({ v: 2, id, created }) };
  };
  const exchange = (text: string): { status: number; body: string } => {
    const said = JSON.parse(text) as Message;
    self.exchanges.push(said);
    if (!self.retells) self.receipts.push(...said.stored);
    for (const [reason, count] of Object.entries(said.lost)) {
      self.lost[reason] = (self.lost[reason] ?? 0) + count;
    }
    const uploads = said.wants.slice(0, self.maxUploads).map(({ id, bytes, again }: Want) => {
      if (again && objects.has(id)) return { id, stored: true };
      const isTooLarge = self.uploadLength && bytes > self.maxUploadBytes;
      return isTooLarge ? { id, error: { code: 'too_large', message: '' } } : presign(id, bytes);
    });
    const config = { paused: self.paused, rules: self.rules };
    const relay = self.relayOnly ? { relay: true } : {};
    const now = platform.now() + self.aheadMillis;
    const retell = self.retells ? { retell: true } : {};
    const answer = { v: 2, now, uploads: self.relayOnly ? [] : uploads, config, ...relay, ...retell };
    return { status: 200, body: JSON.stringify(answer) };
  };
  const take = async (url: string, body: unknown): Promise<{ status: number; body: string }> => {
    if (url === endpoint) return exchange(await (body as Blob).text());
    const bytes = await bytesOf(body);
    return url.startsWith(bucketUrl) ? upload(url, bytes) : relay(url, bytes);
  };

  const self: Cloud = {
    objects,
    keysOf,
    receipts: [],
    lost: {},
    exchanges: [],
    expiresInMs: 900_000,
    paused: false,
    rules: [],
    aheadMillis: 0,
    method: 'PUT',
    uploadLength: 'exact',
    maxUploadBytes: 2 ** 20,
    lengthFor: (asked) => asked,
    maxUploads: 100,
    retells: false,
    relayOnly: false,
    owns: ({ url }) => url.startsWith(endpoint) || url.startsWith(bucketUrl),
    async answer(request, fate = 'done') {
      const { url, init } = request;
      const answer = (reply: { status?: number; body?: string }): void => {
        // The page may have given it up while it took effect.
        if (!request.answered) request.answer(reply);
      };
      if (fate === 'done') return answer(await take(url, init.body));
      if (fate === 'lost-before') return request.answer({ body: 'TypeError: Failed to fetch' });
      if (fate === 'lost-after') {
        await take(url, init.body);
        return answer({ body: 'TypeError: network error' });
      }
      if (fate === 'overloaded') return request.answer({ status: 503 });
      if (fate === 'patience') return request.answer({ status: 429, retryAfterMillis: 7_000 });
      if (fate === 'forbidden') return request.answer({ status: 403, body: 'AccessDenied' });
      if (fate === 'refused') return request.answer({ status: 400, body: 'InvalidArgument' });
      if (fate === 'missing') return request.answer({ status: 404 });
      if (!isUpload(request)) return request.answer({ status: 200, body: '<html>Sign in' });
      const { status } = await take(url, init.body);
      return answer({ status, body: '<html>' });
    },
    async arrive({ url, body }) {
      await take(url, body);
    },
    spanIds() {
      return self
        .texts()
        .flatMap((text) =>
          JSON.parse(text).resourceSpans.flatMap(
            (resource: { scopeSpans: { spans: { spanId: string }[] }[] }) =>
              resource.scopeSpans.flatMap(({ spans }) => spans.map(({ spanId }) => spanId)),
          ),
        );
    },
    texts: () => [...objects.values()].map((bytes) => gunzipSync(bytes).toString()),
    serve(page = platform) {
      serveAll([self], page);
    },
  };
  return self;
}

/** From now on everything that a page asks of these is answered at once, and nothing else of what it asks. */
export function serveAll(clouds: readonly Cloud[], page: TestPlatform): void {
  const owner = (request: { url: string }): Cloud | undefined => clouds.find((cloud) => cloud.owns(request));
  const answer = (request: TestRequest): void => void owner(request)?.answer(request);
  for (const request of page.pending) answer(request);
  page.onRequest = answer;
  page.onBeacon = (beacon) => void owner(beacon)?.arrive(beacon);
}
