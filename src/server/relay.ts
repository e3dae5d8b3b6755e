import { PROTOCOL_VERSION, type RelayResponse } from '../protocol.js';
import { admit, checkOrigin, contextOf } from './admission.js';
import { checkRate, rateLimited } from './hooks.js';
import type { IngestSettings } from './ingest-settings.js';
import type { Trail } from './log.js';
import { NO_COST } from './quota.js';
import { Refusal } from './refusal.js';
import { checkMagic, checkTraceBytes } from './trace-bytes.js';
import { readBody } from './untrusted-body.js';

/** Where relayed bytes go. */
interface RelayTarget {
  project: string;
  key: string;
  token: string;
  /** Whether the key was counted by the quota when its token was issued. */
  isCounted: boolean;
}

/**
 * Stores the gzip bytes that a page could not upload, once: `?relay={token}` under the token's key,
 * `?relay=&blob={id}` under a key of the blob's own, with `&project={public key}` where there are several.
 *
 * @throws {Refusal} with any code but `internal`. @throws {StorageError} when the store fails.
 */
export async function relay(
  request: Request,
  query: URLSearchParams,
  { settings, trail: { facts, watch } }: { settings: IngestSettings; trail: Trail },
): Promise<RelayResponse> {
  const token = query.get('relay');
  const target = token
    ? await tokenTarget(token, request, settings)
    : await blobTarget(query, request, settings);
  facts.project = target.project;
  const context = contextOf(request, target.project, 'relay');
  await watch.time('hooks', () => checkRate(request, context, settings.hooks));

  const { maxRelayBytes: maxBytes, bodyTimeoutMillis: timeoutMillis, quota } = settings;
  const bytes = await watch.time('body', () => readBody(request, { maxBytes, timeoutMillis }));
  facts.bodyBytes = bytes.length;
  checkMagic(bytes);
  if (quota) {
    // Before anything is inflated: that is what costs.
    const cost = { ...NO_COST, objects: target.isCounted ? 0 : 1, relayedBytes: bytes.length };
    const answer = await watch.time('quota', () => quota.take(request, context, [cost]));
    facts.quota = answer.outcome;
    if (!answer.granted[0]) throw rateLimited('the quota is used up', answer.retryAfterSeconds);
  }
  await checkTraceBytes(bytes, settings);
  const outcome = await watch.time('store', () => settings.storage.put(target.key, bytes));
  facts.created = outcome === 'created';
  return { v: PROTOCOL_VERSION, key: target.key, token: target.token, created: facts.created };
}

async function tokenTarget(token: string, request: Request, settings: IngestSettings): Promise<RelayTarget> {
  const { projects, tokens } = settings;
  // A page with `Referrer-Policy: no-referrer` sends its beacons with this. The token was issued to an origin
  // that may call, and is the stronger proof.
  const hasOrigin = request.headers.get('origin') !== 'null';
  if (hasOrigin) checkOrigin(projects.anyAllows, request);
  const claim = await tokens.verify(token);
  if (!claim) throw new Refusal('bad_token', 'the token is not valid, or no longer');
  const project = projects.byName(claim.project);
  if (!project) throw new Refusal('unknown_project', 'the project is gone');
  if (hasOrigin) checkOrigin(project.allows, request);
  return { project: claim.project, key: claim.key, token, isCounted: true };
}

async function blobTarget(
  query: URLSearchParams,
  request: Request,
  settings: IngestSettings,
): Promise<RelayTarget> {
  const project = admit(request, query.get('project') ?? undefined, settings.projects).name;
  const key = await settings.keys.ofBlob(project, query.get('blob') ?? '');
  if (key === undefined) throw new Refusal('malformed', 'blob takes a lowercase UUIDv7 of the last 7 days');
  return { project, key, token: await settings.tokens.issue(key, project), isCounted: false };
}
