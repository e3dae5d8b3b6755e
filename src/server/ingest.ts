import { BLOB_PROTOCOL_VERSION, type ExchangeRequest } from '../protocol.js';
import { admit, checkOrigin, contextOf } from './admission.js';
import { blobExchange } from './blob-exchange.js';
import { exchange } from './exchange.js';
import { parseExchangeRequest } from './exchange-request.js';
import { checkRate, log, rateLimited, refusalOf, retryAfter, tell } from './hooks.js';
import type { IngestContext, IngestOptions } from './ingest-options.js';
import { checkIngestOptions, type IngestSettings } from './ingest-settings.js';
import { createTrail, logEntry, loggedClient, loggedOrigin, type Trail } from './log.js';
import { allowOrigin } from './origin.js';
import { type OtlpTarget, otlpTarget } from './otlp/settings.js';
import { jsonResponse, Refusal, refusalResponse } from './refusal.js';
import { relay } from './relay.js';
import { serverTiming } from './stopwatch.js';
import { readBody } from './untrusted-body.js';

/**
 * Makes the one endpoint: a function from `Request` to `Response`, for any fetch-style runtime and any path.
 *
 * It issues presigned uploads, takes receipts, looks for objects and relays, by protocol 2 and, where it has a `secret`,
 * by protocol 1; see `protocol.ts` for what goes over the wire. It keeps no state but that of a quota, so any number of
 * them may run, given the same options.
 *
 * The function never rejects: whatever happens becomes a JSON answer with the right status. Nothing that it waits
 * for, whether body, hook or store, keeps it for ever.
 *
 * @throws {TypeError} naming the option, what it got and what it takes, when one is missing or unusable.
 * @example
 * const ingest = createIngest({
 *   storage: s3({ endpoint, bucket, accessKeyId, secretAccessKey }),
 *   secret, // for clients of 0.1
 *   allowedOrigins: ['https://shop.example'],
 * });
 * export default { fetch: ingest };
 */
export function createIngest(options: IngestOptions): (request: Request) => Promise<Response> {
  const settings = checkIngestOptions(options);
  return async (request) => {
    const headers = new Headers({ 'cache-control': 'no-store', vary: 'Origin' });
    const trail = createTrail(settings.now(), settings.clock);
    const target = settings.otlp && otlpTarget(request);
    let response: Response;
    let isAllowed = false;
    try {
      isAllowed = target === undefined && settings.projects.anyAllows(request);
      if (isAllowed) allowOrigin(request, headers);
      const handling = { settings, trail, headers };
      response = await (target ? takeOtlp(request, target, handling) : answer(request, handling));
    } catch (error) {
      const refusal = refusalOf(error, settings.hooks);
      trail.facts.error = refusal.code;
      response = refusalResponse(refusal, headers);
    }
    if (isAllowed && settings.serverTiming && request.method === 'POST') {
      response.headers.set('server-timing', serverTiming(trail.watch));
    }
    if (settings.hooks.onLog) {
      const origin = loggedOrigin(request.headers.get('origin'));
      if (origin !== undefined) trail.facts.origin = origin;
      log(logEntry(trail, response.status), settings.hooks);
    }
    return response;
  };
}

interface Handling {
  settings: IngestSettings;
  trail: Trail;
  /** Of the answer, whatever it is. */
  headers: Headers;
}

/** Loaded by the first request that needs it. Pages are let in nowhere here: there is no CORS. */
async function takeOtlp(request: Request, target: OtlpTarget, handling: Handling): Promise<Response> {
  handling.trail.facts.kind = 'otlp';
  const { receive } = await import('./otlp/receive.js');
  return receive(request, target, handling);
}

async function answer(request: Request, { settings, trail, headers }: Handling): Promise<Response> {
  const { facts, watch } = trail;
  if (request.method === 'OPTIONS') {
    facts.kind = 'preflight';
    checkOrigin(settings.projects.anyAllows, request);
    return new Response(null, { status: 204, headers });
  }
  if (request.method !== 'POST') {
    throw new Refusal('method_not_allowed', 'this endpoint takes POST', { allow: 'POST, OPTIONS' });
  }
  const query = new URL(request.url).searchParams;
  if (query.has('relay')) {
    facts.kind = 'relay';
    return jsonResponse(200, await relay(request, query, { settings, trail }), headers);
  }

  facts.kind = 'exchange';
  // Before the body is read, and again below for the project alone.
  checkOrigin(settings.projects.anyAllows, request);
  const { maxBodyBytes: maxBytes, bodyTimeoutMillis: timeoutMillis } = settings;
  const bytes = await watch.time('body', () => readBody(request, { maxBytes, timeoutMillis }));
  facts.bodyBytes = bytes.length;
  const body = parseExchangeRequest(bytes);
  const client = loggedClient(body.client);
  if (client !== undefined) facts.client = client;
  if (body.page !== undefined) facts.page = body.page.id;
  const project = admit(request, body.project, settings.projects);
  facts.project = project.name;
  const context: IngestContext = { ...contextOf(request, project.name, 'exchange') };
  if (body.client !== undefined) context.client = body.client;
  if (body.page !== undefined) context.page = body.page.id;
  await watch.time('hooks', () => checkRate(request, context, settings.hooks));
  const { response, retryAfterSeconds } =
    body.v === BLOB_PROTOCOL_VERSION
      ? await blobExchange(request, body, context, { settings, trail })
      : await exchange(request, body, context, { settings, trail });
  // Last, so that an exchange that failed, and comes again, has told no losses yet.
  await watch.time('hooks', () => tell(body, context, settings.hooks));
  if (retryAfterSeconds !== undefined) {
    // A refusal has clients say again what they said, and losses would count twice: only what asks for nothing but
    // uploads is refused.
    if (body.v !== BLOB_PROTOCOL_VERSION && asksOnly(body) && response.uploads.length === 0)
      throw rateLimited('the quota is used up', retryAfterSeconds);
    headers.set('retry-after', retryAfter(retryAfterSeconds));
  }
  return jsonResponse(200, response, headers);
}

function asksOnly({ stored, confirm, renew, lost }: ExchangeRequest): boolean {
  return stored.length + confirm.length + renew.length + Object.keys(lost).length === 0;
}
