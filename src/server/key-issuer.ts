import { type KeyLayout, objectKey } from '../object-key.js';
import { createMac } from './mac.js';
import { CLOCK_SKEW_MILLIS } from './token.js';
import { UUID_RANDOM_BYTES, uuidV7, uuidV7Millis } from './uuid.js';

/** Chooses object keys. */
export interface KeyIssuer {
  /** A key that nobody has had before. */
  fresh(project: string): string;
  /**
   * The key of a blob that its page named and got no key for: always the same for the same blob and project, so
   * that a beacon sent twice is one object. Of the client's id only the time enters the key; the rest is a MAC,
   * so nobody can aim at another's key.
   *
   * @returns undefined when `blobId` is no lowercase UUIDv7 of the last 7 days.
   */
  ofBlob(project: string, blobId: string): Promise<string | undefined>;
}

export interface KeyIssuerDeps {
  layout: KeyLayout;
  /** Must not change while blobs may be sent again. */
  secret: string;
  /** Epoch milliseconds. */
  now: () => number;
}

/** Clients keep a blob for so long. */
const BLOB_MAX_AGE_MILLIS = 7 * 86_400_000;

export function createKeyIssuer({ layout, secret, now }: KeyIssuerDeps): KeyIssuer {
  const mac = createMac(secret, 'spandrel blob 1');
  return {
    fresh(project) {
      const atMillis = now();
      const random = crypto.getRandomValues(new Uint8Array(UUID_RANDOM_BYTES));
      return objectKey(layout, project, atMillis, uuidV7(atMillis, random));
    },
    async ofBlob(project, blobId) {
      const atMillis = uuidV7Millis(blobId);
      if (atMillis === undefined) return undefined;
      const ageMillis = now() - atMillis;
      if (ageMillis > BLOB_MAX_AGE_MILLIS || ageMillis < -CLOCK_SKEW_MILLIS) return undefined;
      const bits = await mac.sign(`${project}\n${blobId}`);
      return objectKey(layout, project, atMillis, uuidV7(atMillis, bits));
    },
  };
}
