import { admit, checkOrigin, contextOf } from './admission.js';
import { exchange } from './exchange.js';
import { parseExchangeRequest } from './exchange-request.js';
import { checkRate, reportError, tell } from './hooks.js';
import type { IngestContext, IngestOptions } from './ingest-options.js';
import { checkIngestOptions, type IngestSettings } from './ingest-settings.js';
import { allowOrigin } from './origin.js';
import { jsonResponse, Refusal, refusalResponse } from './refusal.js';
import { relay } from './relay.js';
import { StorageError } from './storage.js';
import { readBody } from './untrusted-body.js';

/**
 * Makes the one endpoint: a function from `Request` to `Response`, for any fetch-style runtime and any path.
 *
 * It issues presigned uploads, takes receipts, renews, confirms and relays; see `protocol.ts` for what goes over
 * the wire. It keeps no state, so any number of them may run, given the same `secret`.
 *
 * The function never rejects: whatever happens becomes a JSON answer with the right status.
 *
 * @throws {TypeError} naming the option, what it got and what it takes, when one is missing or unusable.
 * @example
 * const ingest = createIngest({
 *   storage: s3({ endpoint, bucket, accessKeyId, secretAccessKey }),
 *   secret,
 *   allowedOrigins: ['https://shop.example'],
 * });
 * export default { fetch: ingest };
 */
export function createIngest(options: IngestOptions): (request: Request) => Promise<Response> {
  const settings = checkIngestOptions(options);
  return async (request) => {
    const headers = new Headers({ 'cache-control': 'no-store', vary: 'Origin' });
    try {
      if (settings.projects.anyAllows(request)) allowOrigin(request, headers);
      return await answer(request, settings, headers);
    } catch (error) {
      return refusalResponse(refusalOf(error, settings), headers);
    }
  };
}

async function answer(request: Request, settings: IngestSettings, headers: Headers): Promise<Response> {
  if (request.method === 'OPTIONS') {
    checkOrigin(settings.projects.anyAllows, request);
    return new Response(null, { status: 204, headers });
  }
  if (request.method !== 'POST') {
    throw new Refusal('method_not_allowed', 'this endpoint takes POST', { allow: 'POST, OPTIONS' });
  }
  const query = new URL(request.url).searchParams;
  if (query.has('relay')) return jsonResponse(200, await relay(request, query, settings), headers);

  // Before the body is read, and again below for the project alone.
  checkOrigin(settings.projects.anyAllows, request);
  const body = parseExchangeRequest(await readBody(request, settings.maxBodyBytes));
  const project = admit(request, body.project, settings.projects);
  const context: IngestContext = { ...contextOf(request, project.name, 'exchange') };
  if (body.client !== undefined) context.client = body.client;
  if (body.page !== undefined) context.page = body.page.id;
  await checkRate(request, context, settings.hooks);
  const { response, receipts } = await exchange(body, context, settings);
  // Last, so that an exchange that failed, and comes again, has told nothing yet.
  await tell({ receipts, page: body.page, lost: body.lost }, context, settings.hooks);
  return jsonResponse(200, response, headers);
}

function refusalOf(error: unknown, settings: IngestSettings): Refusal {
  if (error instanceof Refusal) return error;
  reportError(error, settings.hooks);
  return error instanceof StorageError
    ? new Refusal('storage_failed', 'the object store refused or did not answer')
    : new Refusal('internal', 'something went wrong here');
}
