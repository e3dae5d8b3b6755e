/** Where a blob lies, and whether it does. */
import { blobKey, type Signal } from '../object-key.js';
import type { WantedUpload } from '../protocol.js';
import { confirmAll } from './confirm.js';
import type { IngestSettings, Protocol1 } from './ingest-settings.js';
import { uuidV7Millis } from './uuid.js';

export interface BlobPlaces {
  key: string;
  /** Where the blob may lie if it was stored at another time. */
  other: string;
}

/** Undefined when `id` is no lowercase UUIDv7. */
export function keyOfBlob(
  id: string,
  project: string,
  nowMillis: number,
  { layout }: Pick<IngestSettings, 'layout'>,
  signal?: Signal,
): BlobPlaces | undefined {
  const atMillis = uuidV7Millis(id);
  return atMillis === undefined ? undefined : blobKey(layout, project, { id, atMillis, nowMillis, signal });
}

/** Whether each blob is there, where the store would tell. Never rejects. */
export async function lookForBlobs(
  wants: readonly (WantedUpload & BlobPlaces)[],
  project: string,
  settings: IngestSettings,
): Promise<Map<string, boolean>> {
  const places = await Promise.all(
    wants.map(async (want) => {
      const old = settings.protocol1 ? await oldKeys(want, project, settings.protocol1) : [];
      return { id: want.id, keys: [...old, want.key, want.other] };
    }),
  );
  const claims = places.flatMap(({ id, keys }) => keys.map((key) => ({ token: id, key })));
  const answers = await confirmAll(claims, settings);
  const found = new Map<string, boolean>();
  for (const { id, keys } of places) {
    const said = answers.filter(({ token }) => token === id);
    if (said.some(({ stored }) => stored)) found.set(id, true);
    else if (said.length === keys.length) found.set(id, false);
  }
  return found;
}

/** Where a client of protocol 1 may have put it: under its token's key, or by a relay under a key of the blob's own. */
async function oldKeys(
  { id, token }: WantedUpload,
  project: string,
  { tokens, keys }: Protocol1,
): Promise<string[]> {
  if (token === undefined) return [];
  const claim = await tokens.verify(token);
  const both = [claim?.project === project ? claim.key : undefined, await keys.ofBlob(project, id)];
  return both.filter((key) => key !== undefined);
}
