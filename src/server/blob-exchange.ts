import {
  BLOB_PROTOCOL_VERSION,
  type BlobExchangeRequest,
  type BlobExchangeResponse,
  type BlobUpload,
  type ErrorCode,
  type WantedUpload,
} from '../protocol.js';
import { type BlobPlaces, keyOfBlob, lookForBlobs } from './blob-lookup.js';
import { inStoreTime } from './bounded-storage.js';
import { sum } from './exchange.js';
import { tellStored } from './hooks.js';
import type { IngestContext } from './ingest-options.js';
import type { IngestSettings } from './ingest-settings.js';
import type { Trail } from './log.js';
import { NO_COST, type QuotaCost } from './quota.js';
import { signUpload } from './uploads.js';

/** A want whose id is one. */
type KeyedWant = WantedUpload & BlobPlaces;

/** Looked for in one exchange: each takes two questions to the store, and what comes from protocol 1 four. */
const MAX_LOOKS = 20;

/**
 * Answers one exchange of protocol 2. What is wrong with one want costs no other anything.
 *
 * @throws {StorageError} when signing fails.
 */
export async function blobExchange(
  request: Request,
  body: BlobExchangeRequest,
  context: IngestContext,
  { settings, trail }: { settings: IngestSettings; trail: Trail },
): Promise<{ response: BlobExchangeResponse; retryAfterSeconds?: number }> {
  const { storage, quota, maxUploadBytes } = settings;
  const { facts, watch } = trail;
  const nowMillis = settings.now();
  const keyOf = (id: string, signal?: 'logs') => keyOfBlob(id, context.project, nowMillis, settings, signal);
  const receipts = body.stored.flatMap(({ id, signal, ...receipt }) => {
    const key = keyOf(id, signal)?.key;
    return key === undefined ? [] : [{ key, token: '', ...receipt }];
  });
  facts.wanted = body.wants.length;
  facts.stored = receipts.length;
  facts.storedSpans = sum(receipts.map(({ spanCount }) => spanCount));
  facts.lost = sum(Object.values(body.lost));
  const isTold = await watch.time('hooks', () => tellStored(receipts, context, settings.hooks));
  const config = await watch.time('hooks', () => settings.config.read(context));

  const uploads: BlobUpload[] = [];
  const refuse = (id: string, code: ErrorCode, message: string): void => {
    uploads.push({ id, error: { code, message } });
  };
  let wants: KeyedWant[] = [];
  for (const want of eachOnce(body.wants)) {
    const keys = keyOf(want.id, want.signal);
    if (!keys) refuse(want.id, 'malformed', 'id takes a UUIDv7 in lowercase');
    else if (want.bytes === 0) refuse(want.id, 'malformed', 'bytes takes an integer from 1');
    else if (maxUploadBytes !== undefined && want.bytes > maxUploadBytes)
      refuse(want.id, 'too_large', `an upload takes ${maxUploadBytes} bytes at most`);
    // Those who are paused finish what they have begun.
    else if (want.again || !config.paused) wants.push({ ...want, ...keys });
  }

  let retryAfterSeconds: number | undefined;
  /** What the quota does not grant is said for each. */
  const charge = async (
    charged: KeyedWant[],
    costOf: (want: KeyedWant) => QuotaCost,
  ): Promise<KeyedWant[]> => {
    if (!quota || charged.length === 0) return charged;
    const answer = await watch.time('quota', () => quota.take(request, context, charged.map(costOf)));
    facts.quota = answer.outcome;
    if (answer.granted.includes(false)) retryAfterSeconds = answer.retryAfterSeconds;
    for (const [index, { id }] of charged.entries())
      if (!answer.granted[index]) refuse(id, 'rate_limited', 'the quota is used up');
    return charged.filter((_, index) => answer.granted[index]);
  };
  // To look costs the operator a request, whatever is found.
  const asked = await charge(wants.filter(({ again }) => again).slice(0, MAX_LOOKS), () => ({
    ...NO_COST,
    objects: 1,
  }));
  const look = () => lookForBlobs(asked, context.project, settings);
  const stored = asked.length > 0 ? await watch.time('store', look) : new Map<string, boolean>();
  facts.confirmed = stored.size;
  for (const { id } of asked) if (stored.get(id)) uploads.push({ id, stored: true });
  wants = wants.filter(({ id, again }) => !again || stored.get(id) === false);
  wants = storage.presign ? wants.slice(0, settings.maxUploads) : [];

  const lengths = new Map(wants.map(({ id, bytes }) => [id, signedLength(bytes, settings)]));
  wants = await charge(wants, ({ id, again }) => ({
    ...NO_COST,
    ...{ objects: again ? 0 : 1, bytes: lengths.get(id) ?? 0 },
  }));
  const sign = () =>
    Promise.all(
      wants.map(async ({ id, key }) => ({ id, ...(await signUpload(key, lengths.get(id), settings)) })),
    );
  uploads.push(...(await watch.time('sign', () => inStoreTime('presign', sign))));
  facts.issued = wants.length;
  facts.issuedBytes = sum(wants.map(({ id }) => lengths.get(id) ?? 0));
  return {
    response: {
      v: BLOB_PROTOCOL_VERSION,
      now: nowMillis,
      uploads,
      config,
      ...(storage.presign ? {} : { relay: true }),
      ...(isTold ? {} : { retell: true }),
    },
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

/** An id that comes twice is asked for as it came first, and looked for if it is to be looked for at all. */
function eachOnce(wants: readonly WantedUpload[]): Iterable<WantedUpload> {
  const each = new Map<string, WantedUpload>();
  for (const { id, bytes, signal, ...looked } of wants)
    each.set(id, { ...looked, ...(each.get(id) ?? { id, bytes, ...(signal && { signal }) }) });
  return each.values();
}

/** Undefined where none is signed. */
function signedLength(bytes: number, { storage, maxUploadBytes }: IngestSettings): number | undefined {
  if (maxUploadBytes === undefined || !storage.uploadLength) return undefined;
  return storage.uploadLength === 'range' ? maxUploadBytes : bytes;
}
