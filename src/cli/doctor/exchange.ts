import { randomBytes } from 'node:crypto';
import { BLOB_PROTOCOL_VERSION, type BlobExchangeRequest, type WantedUpload } from '../../protocol.js';
import { UUID_RANDOM_BYTES, uuidV7 } from '../../server/uuid.js';
import { VERSION } from '../../version.js';
import type { HttpAnswer } from '../http.js';
import { DOCTOR_SERVICE, type World } from './world.js';

/** One exchange, sent as the SDK sends it: text/plain, without a header of its own, so without a preflight. */
export function exchange(
  { ask, settings }: World,
  wants: WantedUpload[],
  origin: string = settings.origin,
): Promise<HttpAnswer> {
  const request: BlobExchangeRequest = {
    v: BLOB_PROTOCOL_VERSION,
    client: `${DOCTOR_SERVICE}/${VERSION}`,
    ...(settings.project === undefined ? {} : { project: settings.project }),
    ...{ wants, stored: [], lost: {} },
  };
  return ask(settings.endpoint, {
    method: 'POST',
    headers: { origin, 'content-type': 'text/plain' },
    body: JSON.stringify(request),
    maxBytes: 1_048_576,
  });
}

/** An id for what doctor writes. */
export function newId(): string {
  return uuidV7(Date.now(), randomBytes(UUID_RANDOM_BYTES));
}

/** The relay, as the SDK addresses it. */
export function relayUrl(endpoint: URL, id: string, project: string | undefined): URL {
  const url = new URL(endpoint);
  url.searchParams.set('relay', id);
  if (project !== undefined) url.searchParams.set('project', project);
  return url;
}
