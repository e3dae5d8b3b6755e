import { blobKey } from '../object-key.js';
import {
  BLOB_PROTOCOL_VERSION,
  type BlobExchangeRequest,
  type BlobExchangeResponse,
  type BlobUpload,
  type ErrorCode,
  type WantedUpload,
} from '../protocol.js';
import { inStoreTime } from './bounded-storage.js';
import { confirmAll } from './confirm.js';
import { sum } from './exchange.js';
import { tellStored } from './hooks.js';
import type { IngestContext } from './ingest-options.js';
import type { IngestSettings } from './ingest-settings.js';
import type { Trail } from './log.js';
import { NO_COST } from './quota.js';
import { signUpload } from './uploads.js';
import { uuidV7Millis } from './uuid.js';

/** A want whose id is one. */
interface KeyedWant extends WantedUpload {
  key: string;
  /** Where the blob may lie if it was stored at another time. */
  other: string;
}

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
  const keyOf = (id: string) => keyOfBlob(id, context.project, nowMillis, settings);
  const receipts = body.stored.flatMap(({ id, ...receipt }) => {
    const key = keyOf(id)?.key;
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
  for (const want of new Map(body.wants.map((one) => [one.id, one])).values()) {
    const keys = keyOf(want.id);
    if (!keys) refuse(want.id, 'malformed', 'id takes a UUIDv7 in lowercase');
    else if (want.bytes === 0) refuse(want.id, 'malformed', 'bytes takes an integer from 1');
    else if (maxUploadBytes !== undefined && want.bytes > maxUploadBytes)
      refuse(want.id, 'too_large', `an upload takes ${maxUploadBytes} bytes at most`);
    // Those who are paused finish what they have begun.
    else if (want.again || !config.paused) wants.push({ ...want, ...keys });
  }

  const asked = wants.filter(({ again }) => again);
  const stored = asked.length > 0 ? await watch.time('store', () => lookFor(asked, settings)) : new Map();
  facts.confirmed = stored.size;
  for (const { id } of asked) if (stored.get(id)) uploads.push({ id, stored: true });
  wants = wants.filter(({ id, again }) => !again || stored.get(id) === false);
  wants = storage.presign ? wants.slice(0, settings.maxUploads) : [];

  const lengths = new Map(wants.map(({ id, bytes }) => [id, signedLength(bytes, settings)]));
  let retryAfterSeconds: number | undefined;
  if (quota && wants.length > 0) {
    const costs = wants.map(({ id }) => ({ ...NO_COST, objects: 1, bytes: lengths.get(id) ?? 0 }));
    const answer = await watch.time('quota', () => quota.take(request, context, costs));
    facts.quota = answer.outcome;
    if (answer.granted.includes(false)) retryAfterSeconds = answer.retryAfterSeconds;
    for (const [index, { id }] of wants.entries())
      if (!answer.granted[index]) refuse(id, 'rate_limited', 'the quota is used up');
    wants = wants.filter((_, index) => answer.granted[index]);
  }
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

/** Undefined when `id` is no lowercase UUIDv7. */
export function keyOfBlob(
  id: string,
  project: string,
  nowMillis: number,
  { layout }: Pick<IngestSettings, 'layout'>,
): { key: string; other: string } | undefined {
  const atMillis = uuidV7Millis(id);
  return atMillis === undefined ? undefined : blobKey(layout, project, { id, atMillis, nowMillis });
}

/** Whether each blob is there, where the store would tell. */
async function lookFor(wants: KeyedWant[], settings: IngestSettings): Promise<Map<string, boolean>> {
  const answers = await confirmAll(
    wants.flatMap(({ id, key, other }) => [
      { token: id, key },
      { token: id, key: other },
    ]),
    settings,
  );
  const found = new Map<string, boolean>();
  for (const { id } of wants) {
    const said = answers.filter(({ token }) => token === id);
    if (said.some(({ stored }) => stored)) found.set(id, true);
    else if (said.length === 2) found.set(id, false);
  }
  return found;
}

/** Undefined where none is signed. */
function signedLength(bytes: number, { storage, maxUploadBytes }: IngestSettings): number | undefined {
  if (maxUploadBytes === undefined || !storage.uploadLength) return undefined;
  return storage.uploadLength === 'range' ? maxUploadBytes : bytes;
}
