import {
  BLOB_PROTOCOL_VERSION,
  type BlobExchangeRequest,
  type BlobReceipt,
  type ExchangeRequest,
  type PageHealth,
  type PageLedger,
  PROTOCOL_VERSION,
  type StoredReceipt,
  type TraceSummary,
  type WantedUpload,
} from '../protocol.js';
import { Refusal } from './refusal.js';
import { isObject, parseJsonObject } from './untrusted-body.js';
import { isUuid } from './uuid.js';

/** What one request may hold. A client with more sends another request. */
export const EXCHANGE_LIMITS = {
  stored: 100,
  confirm: 100,
  renew: 20,
  sizes: 120,
  wants: 100,
  tracesPerReceipt: 500,
  lostReasons: 30,
  /** Characters of a key, a token or a project key. */
  text: 1024,
  /** Characters of the client's name; longer ones are cut, as they are only shown. */
  client: 100,
  /** Characters of a root name; longer ones are cut, as they are only shown. */
  rootName: 255,
} as const;

/** The last instant that `Date` knows, epoch milliseconds. */
const MAX_DATE_MILLIS = 8.64e15;

/**
 * Reads the body of an exchange. Lists that are absent are empty, and fields that are not ours are left out.
 *
 * Tokens are only measured here: whether they are genuine is a question for each alone.
 *
 * What describes the sender, which is `client`, `page` and a receipt's `page` and `seq`, is left out where it is
 * malformed rather than refused: a client never says again what was refused, and its receipts are worth more. A
 * ledger with one bad count is no ledger, and a number without its page no number, so each goes as a whole. What
 * is asked for or counted (`want`, the lists, `lost`) is refused, since nothing right could be done with it.
 *
 * @throws {Refusal} `malformed`, naming the field and what it takes.
 */
export function parseExchangeRequest(bytes: Uint8Array): ExchangeRequest | BlobExchangeRequest {
  const body = parseJsonObject(bytes);
  const { v, client, project, wants = [], stored = [], lost = {}, page } = body;
  const sender = {
    ...(typeof client === 'string' ? { client: client.slice(0, EXCHANGE_LIMITS.client) } : {}),
    ...(project === undefined ? {} : { project: text(project, 'project') }),
    ...pageLedger(page),
  };
  if (v === BLOB_PROTOCOL_VERSION) {
    return {
      v,
      ...sender,
      wants: list(wants, 'wants', EXCHANGE_LIMITS.wants).map((want) => ({
        ...wanted(want),
        ...signalOf(want),
      })),
      stored: list(stored, 'stored', EXCHANGE_LIMITS.stored).map((one) => ({
        ...blobReceipt(one),
        ...signalOf(one),
      })),
      lost: lostCounts(lost),
    };
  }
  if (v !== PROTOCOL_VERSION) refuse('v', `${PROTOCOL_VERSION} or ${BLOB_PROTOCOL_VERSION}`);
  const { want = 0, confirm = [], renew = [], sizes = [] } = body;
  return {
    v: PROTOCOL_VERSION,
    ...sender,
    // An absurd number is still a number: the caller gives what it wants to give.
    want: Number.isInteger(want) ? number(want, 'want') : refuse('want', 'an integer'),
    stored: list(stored, 'stored', EXCHANGE_LIMITS.stored).map(receipt),
    confirm: list(confirm, 'confirm', EXCHANGE_LIMITS.confirm).map((token) => text(token, 'confirm[]')),
    renew: list(renew, 'renew', EXCHANGE_LIMITS.renew).map((token) => text(token, 'renew[]')),
    lost: lostCounts(lost),
    sizes: list(sizes, 'sizes', EXCHANGE_LIMITS.sizes).map((bytes) => count(bytes, 'sizes[]')),
  };
}

/** Whether the id is one is a question for each alone. */
function wanted(value: unknown): WantedUpload {
  if (!isObject(value)) refuse('wants[]', 'objects');
  const { id, bytes, again, token } = value;
  return {
    id: text(id, 'wants[].id'),
    bytes: count(bytes, 'wants[].bytes'),
    ...(again === true || token !== undefined ? { again: true } : {}),
    ...(token === undefined ? {} : { token: text(token, 'wants[].token') }),
  };
}

/** What a blob holds: where a client says something else than logs, it is of a time that is to come. */
function signalOf(value: unknown): { signal?: 'logs' } {
  const { signal } = value as { signal?: unknown };
  if (signal === undefined) return {};
  return signal === 'logs' ? { signal } : refuse('signal', '"logs", or nothing');
}

function pageLedger(value: unknown): { page?: PageLedger } {
  if (!isObject(value)) return {};
  const { id, sealed, created, adopted, stored, waiting, dropped, handedOver, health } = value;
  const counts = { sealed, created, adopted, stored, waiting, dropped, handedOver };
  const isWhole = isUuid(id) && Object.values(counts).every((one) => isCount(one));
  if (!isWhole) return {};
  return { page: { id, ...(counts as Omit<PageLedger, 'id' | 'health'>), ...pageHealth(health) } };
}

function pageHealth(value: unknown): { health?: PageHealth } {
  if (!isObject(value)) return {};
  const { uploadFailures, exchangeFailures, noUpload, exceptions, highWater } = value;
  const counts = { uploadFailures, exchangeFailures, noUpload, exceptions, highWater };
  const health = Object.fromEntries(Object.entries(counts).filter(([, one]) => isCount(one)));
  return { health };
}

function receipt(value: unknown): StoredReceipt {
  if (!isObject(value)) refuse('stored[]', 'objects');
  const { key, token } = value;
  return { key: text(key, 'stored[].key'), token: text(token, 'stored[].token'), ...contents(value) };
}

function blobReceipt(value: unknown): BlobReceipt {
  if (!isObject(value)) refuse('stored[]', 'objects');
  return { id: text(value['id'], 'stored[].id'), ...contents(value) };
}

function contents(value: Record<string, unknown>): Omit<StoredReceipt, 'key' | 'token'> {
  const { spanCount, logRecordCount, bytes, page, seq, unconfirmed, traces } = value;
  return {
    spanCount: count(spanCount, 'stored[].spanCount'),
    ...(logRecordCount === undefined
      ? {}
      : { logRecordCount: count(logRecordCount, 'stored[].logRecordCount') }),
    bytes: count(bytes, 'stored[].bytes'),
    ...(isUuid(page) && isCount(seq) && seq > 0 ? { page, seq } : {}),
    ...(unconfirmed === true ? { unconfirmed } : {}),
    traces: list(traces, 'stored[].traces', EXCHANGE_LIMITS.tracesPerReceipt).map(summary),
  };
}

function summary(value: unknown): TraceSummary {
  if (!isObject(value)) refuse('traces[]', 'objects');
  const { traceId, rootName, startedAt, durationMs, spanCount, error } = value;
  if (typeof traceId !== 'string' || !/^[0-9a-f]{32}$/.test(traceId)) {
    refuse('traces[].traceId', '32 lowercase hex digits');
  }
  if (typeof rootName !== 'string') refuse('traces[].rootName', 'a string');
  if (typeof error !== 'boolean') refuse('traces[].error', 'true or false');
  return {
    traceId,
    rootName: rootName.slice(0, EXCHANGE_LIMITS.rootName),
    startedAt: number(startedAt, 'traces[].startedAt', MAX_DATE_MILLIS),
    durationMs: number(durationMs, 'traces[].durationMs', MAX_DATE_MILLIS),
    spanCount: count(spanCount, 'traces[].spanCount'),
    error,
  };
}

function lostCounts(value: unknown): Record<string, number> {
  if (!isObject(value)) refuse('lost', 'an object');
  const entries = Object.entries(value);
  if (entries.length > EXCHANGE_LIMITS.lostReasons) {
    refuse('lost', `at most ${EXCHANGE_LIMITS.lostReasons} reasons`);
  }
  return Object.fromEntries(
    entries.map(([reason, spans]) => {
      if (!/^[a-z-]{1,40}$/.test(reason)) refuse('lost', 'reasons of 1 to 40 lowercase letters and dashes');
      return [reason, count(spans, 'lost[]')];
    }),
  );
}

function list(value: unknown, field: string, maxLength: number): unknown[] {
  if (Array.isArray(value) && value.length <= maxLength) return value;
  return refuse(field, `an array of at most ${maxLength}`);
}

function text(value: unknown, field: string): string {
  if (typeof value === 'string' && value.length <= EXCHANGE_LIMITS.text) return value;
  return refuse(field, `a string of at most ${EXCHANGE_LIMITS.text} characters`);
}

function count(value: unknown, field: string): number {
  return Number.isSafeInteger(value) ? number(value, field) : refuse(field, 'an integer');
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function number(value: unknown, field: string, maximum = Number.MAX_VALUE): number {
  if (typeof value === 'number' && value >= 0 && value <= maximum) return value;
  return refuse(field, 'a number from 0');
}

function refuse(field: string, takes: string): never {
  throw new Refusal('malformed', `${field} takes ${takes}`);
}
