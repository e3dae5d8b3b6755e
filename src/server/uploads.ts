import type { ExchangeRequest, PresignedUpload } from '../protocol.js';
import { inStoreTime } from './bounded-storage.js';
import type { Claim } from './confirm.js';
import type { IngestContext } from './ingest-options.js';
import type { IngestSettings } from './ingest-settings.js';
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
}

/**
 * Issues uploads: those asked for again, and as many fresh ones as the operator and the quota allow.
 *
 * What is asked for again is charged and never refused. Its key has been counted, it holds one object at most, and
 * a client whose renewal is not answered has to give up the blob.
 *
 * @throws {StorageError} when signing fails.
 */
export async function issueUploads(
  request: Request,
  { body, renew, paused }: UploadsAsked,
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

  if (quota && renewals.length + fresh.length > 0) {
    const costOf = (bytes: number | undefined, objects: number): QuotaCost => ({
      ...NO_COST,
      objects,
      bytes: bytes ?? 0,
    });
    const charge = costOf(
      renewals.reduce((total, { bytes = 0 }) => total + bytes, 0),
      0,
    );
    const wanted = fresh.map((bytes) => costOf(bytes, 1));
    const answer = await watch.time('quota', () => quota.take(request, context, { charge, wanted }));
    facts.quota = answer.outcome;
    fresh = fresh.filter((_, index) => answer.granted[index]);
    if (fresh.length < wanted.length) retryAfterSeconds = answer.retryAfterSeconds;
  }

  const sign = async (): Promise<PresignedUpload[]> =>
    Promise.all([
      ...renewals.map(({ claim, bytes }) => presign(claim, bytes, settings)),
      ...fresh.map(async (bytes) => {
        const key = settings.keys.fresh(context.project);
        return presign({ key, token: await settings.tokens.issue(key, context.project) }, bytes, settings);
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

async function presign(
  { key, token }: Claim,
  bytes: number | undefined,
  { storage, urlExpirySeconds }: IngestSettings,
): Promise<PresignedUpload> {
  const sign = storage.presign as NonNullable<typeof storage.presign>;
  const issued = { key, token, expiresInMs: urlExpirySeconds * 1000 };
  const options = { expiresInSeconds: urlExpirySeconds };
  if (bytes === undefined) return { ...(await sign(key, options)), ...issued };
  const signed = { ...(await sign(key, { ...options, bytes })), ...issued };
  return storage.uploadLength === 'range' ? { ...signed, maxBytes: bytes } : { ...signed, bytes };
}
