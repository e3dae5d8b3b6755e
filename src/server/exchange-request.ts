import {
  type ExchangeRequest,
  PROTOCOL_VERSION,
  type StoredReceipt,
  type TraceSummary,
} from '../protocol.js';
import { Refusal } from './refusal.js';
import { isObject, parseJsonObject } from './untrusted-body.js';

/** What one request may hold. A client with more sends another request. */
export const EXCHANGE_LIMITS = {
  stored: 100,
  confirm: 100,
  renew: 20,
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
 * @throws {Refusal} `malformed`, naming the field and what it takes.
 */
export function parseExchangeRequest(bytes: Uint8Array): ExchangeRequest {
  const body = parseJsonObject(bytes);
  const { v, client, project, want = 0, stored = [], confirm = [], renew = [], lost = {} } = body;
  if (v !== PROTOCOL_VERSION) refuse('v', String(PROTOCOL_VERSION));
  return {
    v: PROTOCOL_VERSION,
    ...(typeof client === 'string' ? { client: client.slice(0, EXCHANGE_LIMITS.client) } : {}),
    ...(project === undefined ? {} : { project: text(project, 'project') }),
    // An absurd number is still a number: the caller gives what it wants to give.
    want: Number.isInteger(want) ? number(want, 'want') : refuse('want', 'an integer'),
    stored: list(stored, 'stored', EXCHANGE_LIMITS.stored).map(receipt),
    confirm: list(confirm, 'confirm', EXCHANGE_LIMITS.confirm).map((token) => text(token, 'confirm[]')),
    renew: list(renew, 'renew', EXCHANGE_LIMITS.renew).map((token) => text(token, 'renew[]')),
    lost: lostCounts(lost),
  };
}

function receipt(value: unknown): StoredReceipt {
  if (!isObject(value)) refuse('stored[]', 'objects');
  const { key, token, spanCount, bytes, unconfirmed, traces } = value;
  return {
    key: text(key, 'stored[].key'),
    token: text(token, 'stored[].token'),
    spanCount: count(spanCount, 'stored[].spanCount'),
    bytes: count(bytes, 'stored[].bytes'),
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

function number(value: unknown, field: string, maximum = Number.MAX_VALUE): number {
  if (typeof value === 'number' && value >= 0 && value <= maximum) return value;
  return refuse(field, 'a number from 0');
}

function refuse(field: string, takes: string): never {
  throw new Refusal('malformed', `${field} takes ${takes}`);
}
