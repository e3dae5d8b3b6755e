import type { ExchangeRequest, PresignedUpload } from '../protocol.js';
import { inStoreTime } from './bounded-storage.js';
import type { Claim } from './confirm.js';
import { rateLimited } from './hooks.js';
import type { IngestContext } from './ingest-options.js';
import type { IngestSettings, Protocol1 } from './ingest-settings.js';
import type { Trail } from './log.js';
import { NO_COST, type QuotaCost } from './quota.js';

/** Where the client does not say: most traces are smaller. */
const DEFAULT_UPLOAD_BYTES = 4_096;
/** No gzip of a trace is smaller. */
const MIN_UPLOAD_BYTES = 64;

/** What uploads are asked for. */
export interface UploadsAsked {
  body: ExchangeRequest;
  /** Those of `body.renew` that are genuine. */
  renew: Claim[];
  paused: boolean;
  protocol1: Protocol1;
}

/**
 * Issues uploads: those asked for again, all or none, and as many fresh ones as the operator and the quota allow.
 *
 * What is asked for again costs its length and no object: its key has been counted. Where the quota has no room for
 * that, the whole exchange is refused, since a client gives up the blobs whose renewal is passed over.
 *
 * @throws {Refusal} `rate_limited`.
 * @throws {StorageError} when signing fails.
 */
export async function issueUploads(
  request: Request,
  { body, renew, paused, protocol1 }: UploadsAsked,
  context: IngestContext,
  { settings, trail }: { settings: IngestSettings; trail: Trail },
): Promise<{ uploads: PresignedUpload[]; retryAfterSeconds?: number }> {
  const { storage, quota } = settings;
  const { facts, watch } = trail;
  if (!storage.presign) return { uploads: [] };
  const { sizes = [] } = body;
  const length = (index: number): number | undefined => lengthFor(sizes[index], settings);
  const renewals = renew.map((claim) => ({ claim, bytes: length(body.renew.indexOf(claim.token)) }));
  const most = paused ? 0 : Math.min(body.want, settings.maxUploads);
  let fresh = Array.from({ length: most }, (_, index) => length(body.renew.length + index));
  let retryAfterSeconds: number | undefined;

  const take = async (wanted: QuotaCost[]): Promise<boolean[]> => {
    if (!quota || wanted.length === 0) return wanted.map(() => true);
    const answer = await watch.time('quota', () => quota.take(request, context, wanted));
    facts.quota = answer.outcome;
    if (answer.granted.includes(false)) retryAfterSeconds = answer.retryAfterSeconds;
    return answer.granted;
  };
  const again = renewals.reduce((total, { bytes = 0 }) => total + bytes, 0);
  const [isRenewed] = await take(again > 0 ? [{ ...NO_COST, bytes: again }] : []);
  if (isRenewed === false) throw rateLimited('the quota is used up', retryAfterSeconds ?? 0);
  const granted = await take(fresh.map((bytes = 0) => ({ ...NO_COST, objects: 1, bytes })));
  fresh = fresh.filter((_, index) => granted[index]);

  const sign = async (): Promise<PresignedUpload[]> =>
    Promise.all([
      ...renewals.map(async ({ claim, bytes }) => ({
        ...(await signUpload(claim.key, bytes, settings)),
        ...claim,
      })),
      ...fresh.map(async (bytes) => {
        const key = protocol1.keys.fresh(context.project);
        const token = await protocol1.tokens.issue(key, context.project);
        return { ...(await signUpload(key, bytes, settings)), key, token };
      }),
    ]);
  const uploads = await watch.time('sign', () => inStoreTime('presign', sign));
  facts.renewed = renewals.length;
  facts.issued = fresh.length;
  facts.issuedBytes = uploads.reduce((total, { bytes, maxBytes }) => total + (bytes ?? maxBytes ?? 0), 0);
  return { uploads, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
}

/**
 * The length that is signed; undefined where none is.
 *
 * @param size what the client wants it for.
 */
function lengthFor(
  size: number | undefined,
  { storage, maxUploadBytes }: IngestSettings,
): number | undefined {
  if (maxUploadBytes === undefined || !storage.uploadLength) return undefined;
  if (storage.uploadLength === 'range') return maxUploadBytes;
  return Math.min(Math.max(size || DEFAULT_UPLOAD_BYTES, MIN_UPLOAD_BYTES), maxUploadBytes);
}

/** @param bytes the length that is signed; undefined: none. @throws {StorageError} */
export async function signUpload(
  key: string,
  bytes: number | undefined,
  { storage, urlExpirySeconds }: IngestSettings,
): Promise<Omit<PresignedUpload, 'key' | 'token'>> {
  const sign = storage.presign as NonNullable<typeof storage.presign>;
  const expiresInMs = urlExpirySeconds * 1000;
  const options = { expiresInSeconds: urlExpirySeconds };
  if (bytes === undefined) return { ...(await sign(key, options)), expiresInMs };
  const signed = { ...(await sign(key, { ...options, bytes })), expiresInMs };
  return storage.uploadLength === 'range' ? { ...signed, maxBytes: bytes } : { ...signed, bytes };
}
