/** The other side, for tests: one endpoint and one store with conditional writes, as the protocol describes them. */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { ExchangeRequest, PresignedUpload, SamplingRule, StoredReceipt } from '../protocol.js';
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
  readonly receipts: StoredReceipt[];
  /** Spans reported lost, by reason. */
  readonly lost: Record<string, number>;
  readonly exchanges: ExchangeRequest[];
  /** Keys under which the same bytes were, or may have been, stored: by digest of the bytes. */
  readonly keysOf: ReadonlyMap<string, ReadonlySet<string>>;
  /** Lifetime of the URLs it gives. */
  expiresInMs: number;
  /** How many fresh uploads it gives at most. */
  maxUploads: number;
  paused: boolean;
  rules: SamplingRule[];
  /** Whether it answers what became of unanswered requests. */
  confirms: boolean;
  method: 'PUT' | 'POST';
  /** How it signs the length of what is put, up to {@link maxUploadBytes}; undefined: not at all. */
  uploadLength: 'exact' | 'range' | undefined;
  maxUploadBytes: number;
  /** The length that it signs where it signs exact ones. Default: the one that is asked for. */
  lengthFor: (asked: number) => number;
  /** Whether it takes nothing but relays. */
  relayOnly: boolean;
  /** Whether a request is for this one. */
  owns(request: { url: string }): boolean;
  /** Lets the request have its effect, and answers it. */
  answer(request: TestRequest, fate?: Fate): Promise<void>;
  /** Lets a beacon arrive. */
  arrive(beacon: TestBeacon): Promise<void>;
  /** Fresh uploads, as a page may have them inlined, for bodies of these lengths. */
  issue(count: number, lengths?: number[]): PresignedUpload[];
  /** Span ids in the bucket, an id as often as it is stored, read by Node's zlib. */
  spanIds(): string[];
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
  const limits = new Map<string, Pick<PresignedUpload, 'bytes' | 'maxBytes'>>();
  let serial = 0;

  const limitOf = (asked = 4_096): Pick<PresignedUpload, 'bytes' | 'maxBytes'> => {
    if (self.uploadLength === 'exact') return { bytes: Math.min(self.lengthFor(asked), self.maxUploadBytes) };
    return self.uploadLength ? { maxBytes: self.maxUploadBytes } : {};
  };
  const presign = (key: string, asked?: number): PresignedUpload => {
    const url = `${bucketUrl}${key}?sig=${++serial}`;
    expiries.set(url, platform.now() + self.expiresInMs);
    const limit = limitOf(asked);
    limits.set(url, limit);
    const fields = self.method === 'POST' ? { fields: { key } } : {};
    const headers: Record<string, string> = self.method === 'POST' ? {} : { 'if-none-match': '*' };
    return {
      method: self.method,
      url,
      headers,
      ...fields,
      key,
      token: `t-${key}`,
      expiresInMs: self.expiresInMs,
      ...limit,
    };
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
    const query = new URL(url).searchParams;
    const key = query.get('relay')?.slice(2) || `relayed-${query.get('blob')}`;
    const created = put(key, bytes);
    return { status: 200, body: JSON.stringify({ v: 1, key, token: `t-${key}`, created }) };
  };
  const exchange = (text: string): { status: number; body: string } => {
    const said = JSON.parse(text) as ExchangeRequest;
    self.exchanges.push(said);
    self.receipts.push(...said.stored);
    for (const [reason, count] of Object.entries(said.lost)) {
      self.lost[reason] = (self.lost[reason] ?? 0) + count;
    }
    const { sizes = [] } = said;
    const renewed = said.renew.map((token, at) => presign(token.slice(2), sizes[at]));
    const fresh = self.issue(Math.min(said.want, self.maxUploads), sizes.slice(renewed.length));
    const uploads = self.relayOnly ? [] : [...renewed, ...fresh];
    const config = { paused: self.paused, rules: self.rules };
    const confirmed = self.confirms
      ? said.confirm.map((token) => ({ token, stored: objects.has(token.slice(2)) }))
      : [];
    const relay = self.relayOnly ? { relay: true } : {};
    return { status: 200, body: JSON.stringify({ v: 1, uploads, confirmed, config, ...relay }) };
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
    maxUploads: 8,
    paused: false,
    rules: [],
    confirms: true,
    method: 'PUT',
    uploadLength: 'exact',
    maxUploadBytes: 2 ** 20,
    lengthFor: (asked) => asked,
    relayOnly: false,
    owns: ({ url }) => url.startsWith(endpoint) || url.startsWith(bucketUrl),
    async answer(request, fate = 'done') {
      const { url, init } = request;
      if (fate === 'done') return request.answer(await take(url, init.body));
      if (fate === 'lost-before') return request.answer({ body: 'TypeError: Failed to fetch' });
      if (fate === 'lost-after') {
        await take(url, init.body);
        return request.answer({ body: 'TypeError: network error' });
      }
      if (fate === 'overloaded') return request.answer({ status: 503 });
      if (fate === 'patience') return request.answer({ status: 429, retryAfterMillis: 7_000 });
      if (fate === 'forbidden') return request.answer({ status: 403, body: 'AccessDenied' });
      if (fate === 'refused') return request.answer({ status: 400, body: 'InvalidArgument' });
      if (fate === 'missing') return request.answer({ status: 404 });
      if (!isUpload(request)) return request.answer({ status: 200, body: '<html>Sign in' });
      const { status } = await take(url, init.body);
      return request.answer({ status, body: '<html>' });
    },
    async arrive({ url, body }) {
      await take(url, body);
    },
    issue: (count, lengths = []) =>
      Array.from({ length: count }, (_, at) => presign(`k${++serial}`, lengths[at])),
    spanIds() {
      return [...objects.values()].flatMap((bytes) =>
        JSON.parse(gunzipSync(bytes).toString()).resourceSpans.flatMap(
          (resource: { scopeSpans: { spans: { spanId: string }[] }[] }) =>
            resource.scopeSpans.flatMap(({ spans }) => spans.map(({ spanId }) => spanId)),
        ),
      );
    },
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
