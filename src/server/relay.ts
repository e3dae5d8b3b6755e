import type { Signal } from '../object-key.js';
import {
  BLOB_PROTOCOL_VERSION,
  type BlobRelayResponse,
  PROTOCOL_VERSION,
  type RelayResponse,
} from '../protocol.js';
import { admit, checkOrigin, contextOf } from './admission.js';
import { keyOfBlob } from './blob-lookup.js';
import { checkRate, rateLimited } from './hooks.js';
import type { IngestSettings, Protocol1 } from './ingest-settings.js';
import type { Trail } from './log.js';
import { NO_COST } from './quota.js';
import { Refusal } from './refusal.js';
import { checkMagic, checkTraceBytes, gzipTraces, isJson } from './trace-bytes.js';
import { readBody } from './untrusted-body.js';

/** Where relayed bytes go. */
interface RelayTarget {
  project: string;
  key: string;
  /** Where the blob may lie already. */
  other?: string;
  /** What is answered, with whether the object is new. */
  answer: Omit<RelayResponse, 'created'> | Omit<BlobRelayResponse, 'created'>;
  /** Whether the key was counted by the quota when its token was issued. */
  isCounted?: true;
  /** Whether the bytes may be JSON too. */
  takesJson?: true;
  /** What the bytes hold. Default traces. */
  signal?: Signal;
}

/**
 * Stores the traces that a page could not upload, once: `?relay={blob's id}` under the id's key, with
 * `&project={public key}` where there are several, and `&signal=logs` where it holds logs. Of protocol 1, where there is one: `?relay={token}` under the token's
 * key, and `?relay=&blob={id}` under a key of the blob's own.
 *
 * @throws {Refusal} with any code but `internal`. @throws {StorageError} when the store fails.
 */
export async function relay(
  request: Request,
  query: URLSearchParams,
  { settings, trail: { facts, watch } }: { settings: IngestSettings; trail: Trail },
): Promise<RelayResponse | BlobRelayResponse> {
  const target = await targetOf(query, request, settings);
  facts.project = target.project;
  const context = contextOf(request, target.project, 'relay');
  await watch.time('hooks', () => checkRate(request, context, settings.hooks));

  const { maxRelayBytes: maxBytes, bodyTimeoutMillis: timeoutMillis, quota } = settings;
  const bytes = await watch.time('body', () => readBody(request, { maxBytes, timeoutMillis }));
  facts.bodyBytes = bytes.length;
  const mustPack = target.takesJson === true && isJson(bytes);
  if (!mustPack) checkMagic(bytes);
  if (quota) {
    // Before anything is inflated: that is what costs.
    const cost = { ...NO_COST, objects: target.isCounted ? 0 : 1, relayedBytes: bytes.length };
    const answer = await watch.time('quota', () => quota.take(request, context, [cost]));
    facts.quota = answer.outcome;
    if (!answer.granted[0]) throw rateLimited('the quota is used up', answer.retryAfterSeconds);
  }
  if (!mustPack) await checkTraceBytes(bytes, settings, target.signal);
  const packed = mustPack ? await gzipTraces(bytes, target.signal) : bytes;
  facts.created = await watch.time('store', () => putOnce(target, packed, settings));
  return { ...target.answer, created: facts.created };
}

/** @returns whether the object is new. */
async function putOnce(
  { key, other }: RelayTarget,
  bytes: Uint8Array<ArrayBuffer>,
  { storage }: IngestSettings,
): Promise<boolean> {
  // By the client's clock, or since, its time was one that cannot be, or is one now.
  if (other !== undefined && (await storage.head(other)) !== undefined) return false;
  return (await storage.put(key, bytes)) === 'created';
}

async function targetOf(
  query: URLSearchParams,
  request: Request,
  settings: IngestSettings,
): Promise<RelayTarget> {
  const { protocol1 } = settings;
  const relayed = query.get('relay') ?? '';
  if (protocol1 && !LIKE_AN_ID.test(relayed)) {
    const old = { settings, protocol1 };
    return relayed ? tokenTarget(relayed, request, old) : blobTarget(query, request, old);
  }
  const project = admit(request, query.get('project') ?? undefined, settings.projects).name;
  if (query.has('blob') || relayed.startsWith('1.'))
    throw new Refusal('not_found', 'relay takes a UUIDv7: for protocol 1 this endpoint has no secret');
  const now = settings.now();
  const signal = signalOf(query);
  const keys = keyOfBlob(relayed, project, now, settings, signal);
  if (!keys) throw new Refusal('malformed', 'relay takes a UUIDv7 in lowercase');
  const answer = { v: BLOB_PROTOCOL_VERSION, now, id: relayed, key: keys.key } as const;
  return { project, ...keys, answer, takesJson: true, signal };
}

function signalOf(query: URLSearchParams): Signal {
  const signal = query.get('signal') ?? 'traces';
  if (signal === 'traces' || signal === 'logs') return signal;
  throw new Refusal('malformed', 'signal takes "logs", or nothing');
}

const LIKE_AN_ID = /^[\da-f-]{36}$/i;

/** What protocol 1 is answered with. */
interface Old {
  settings: IngestSettings;
  protocol1: Protocol1;
}

async function tokenTarget(
  token: string,
  request: Request,
  { settings: { projects }, protocol1: { tokens } }: Old,
): Promise<RelayTarget> {
  // A page with `Referrer-Policy: no-referrer` sends its beacons with this. The token was issued to an origin
  // that may call, and is the stronger proof.
  const hasOrigin = request.headers.get('origin') !== 'null';
  if (hasOrigin) checkOrigin(projects.anyAllows, request);
  const claim = await tokens.verify(token);
  if (!claim) throw new Refusal('bad_token', 'the token is not valid, or no longer');
  const project = projects.byName(claim.project);
  if (!project) throw new Refusal('unknown_project', 'the project is gone');
  if (hasOrigin) checkOrigin(project.allows, request);
  const { key } = claim;
  return { project: claim.project, key, answer: { v: PROTOCOL_VERSION, key, token }, isCounted: true };
}

async function blobTarget(
  query: URLSearchParams,
  request: Request,
  { settings: { projects }, protocol1: { tokens, keys } }: Old,
): Promise<RelayTarget> {
  const project = admit(request, query.get('project') ?? undefined, projects).name;
  const key = await keys.ofBlob(project, query.get('blob') ?? '');
  if (key === undefined) throw new Refusal('malformed', 'blob takes a lowercase UUIDv7 of the last 7 days');
  return { project, key, answer: { v: PROTOCOL_VERSION, key, token: await tokens.issue(key, project) } };
}
