import {
  type ClientConfig,
  type ExchangeRequest,
  type ExchangeResponse,
  PROTOCOL_VERSION,
  type PresignedUpload,
  type StoredReceipt,
} from '../protocol.js';
import { type Claim, confirmAll } from './confirm.js';
import { reportError } from './hooks.js';
import type { IngestContext } from './ingest-options.js';
import type { IngestSettings } from './ingest-settings.js';
import { Refusal } from './refusal.js';
import { usableRules } from './sampling-rules.js';
import { StorageError } from './storage.js';

/** Where the client does not say: most traces are smaller. */
const DEFAULT_UPLOAD_BYTES = 4_096;
/** No gzip of a trace is smaller. */
const MIN_UPLOAD_BYTES = 64;

/**
 * Answers one exchange: fresh uploads, new URLs for old keys, and whether objects are there.
 *
 * A bad token spoils nothing but itself. It is passed over, so that an old page, or a guest, cannot cost a client
 * the rest of its request.
 *
 * @returns the answer, and those receipts whose tokens are genuine.
 * @throws {Refusal} `bad_token` when the request holds nothing else. @throws {StorageError} when signing fails.
 */
export async function exchange(
  request: ExchangeRequest,
  context: IngestContext,
  settings: IngestSettings,
): Promise<{ response: ExchangeResponse; receipts: StoredReceipt[] }> {
  const claimsOf = async (tokens: string[]): Promise<Claim[]> => {
    const unique = [...new Set(tokens)];
    const claims = await Promise.all(unique.map((token) => verifyFor(context.project, token, settings)));
    return claims.filter((claim) => claim !== undefined);
  };
  const [confirm, renew, receipts] = await Promise.all([
    claimsOf(request.confirm),
    claimsOf(request.renew),
    genuineReceipts(request.stored, context.project, settings),
  ]);
  const given = request.confirm.length + request.renew.length + request.stored.length;
  const taken = confirm.length + renew.length + receipts.length;
  const nothingElse =
    request.want === 0 && Object.keys(request.lost).length === 0 && request.page === undefined;
  if (given > 0 && taken === 0 && nothingElse) {
    throw new Refusal('bad_token', 'no token of this request is valid');
  }

  const config = await clientConfig(context, settings);
  const takesUploads = settings.storage.presign !== undefined;
  const wanted = config.paused || !takesUploads ? 0 : Math.min(request.want, settings.maxUploads);
  const { sizes = [] } = request;
  const uploads = [
    ...(takesUploads ? renew : []).map((claim) =>
      presign(claim, sizes[request.renew.indexOf(claim.token)], settings),
    ),
    ...Array.from({ length: wanted }, async (_, index) => {
      const key = settings.keys.fresh(context.project);
      const token = await settings.tokens.issue(key, context.project);
      return presign({ key, token }, sizes[request.renew.length + index], settings);
    }),
  ];
  const [signed, confirmed] = await Promise.all([Promise.all(uploads), confirmAll(confirm, settings)]);
  const response: ExchangeResponse = { v: PROTOCOL_VERSION, uploads: signed, confirmed, config };
  return { response: takesUploads ? response : { ...response, relay: true }, receipts };
}

async function verifyFor(
  project: string,
  token: string,
  settings: IngestSettings,
): Promise<Claim | undefined> {
  const claim = await settings.tokens.verify(token);
  return claim?.project === project ? { token, key: claim.key } : undefined;
}

async function genuineReceipts(stored: StoredReceipt[], project: string, settings: IngestSettings) {
  const claims = await Promise.all(stored.map(({ token }) => verifyFor(project, token, settings)));
  return stored.filter((receipt, index) => claims[index]?.key === receipt.key);
}

/** @param size the length that the client wants it for. */
async function presign(
  { key, token }: Claim,
  size: number | undefined,
  { storage, urlExpirySeconds, maxUploadBytes }: IngestSettings,
): Promise<PresignedUpload> {
  const issued = { key, token, expiresInMs: urlExpirySeconds * 1000 };
  const options = { expiresInSeconds: urlExpirySeconds };
  if (!storage.presign) throw new StorageError('the store takes no uploads from outside');
  if (maxUploadBytes === undefined || !storage.uploadLength) {
    return { ...(await storage.presign(key, options)), ...issued };
  }
  if (storage.uploadLength === 'range') {
    const presigned = await storage.presign(key, { ...options, bytes: maxUploadBytes });
    return { ...presigned, ...issued, maxBytes: maxUploadBytes };
  }
  const bytes = Math.min(Math.max(size || DEFAULT_UPLOAD_BYTES, MIN_UPLOAD_BYTES), maxUploadBytes);
  return { ...(await storage.presign(key, { ...options, bytes })), ...issued, bytes };
}

async function clientConfig(context: IngestContext, settings: IngestSettings): Promise<ClientConfig> {
  try {
    const config = await settings.hooks.config?.(context);
    const report = (error: unknown): void => reportError(error, settings.hooks);
    if (config) return { paused: config.paused === true, rules: usableRules(config.rules, report) };
  } catch (error) {
    reportError(error, settings.hooks);
  }
  return { paused: false, rules: [] };
}
