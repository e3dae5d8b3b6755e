import { isStorageError, type Storage } from '../../server/storage.js';
import { minuteOf, walkObjects } from '../object-walk.js';
import {
  isTraceName,
  MAX_OBJECT_BYTES,
  MAX_OBJECTS,
  newestFirst,
  toViewObject,
  type ViewObject,
  type ViewSource,
} from './source.js';

/** A key's minute is when its upload was issued; what comes later than this is seen when the viewer is opened again. */
const LATE_MILLIS = 1_800_000;

/**
 * A bucket, as far back as `sinceMillis` goes. After the first listing only what is new is listed.
 *
 * @param sinceMillis epoch milliseconds; undefined for all.
 */
export function bucketSource({
  storage,
  name,
  prefix,
  sinceMillis,
  now = Date.now,
}: {
  storage: Storage;
  name: string;
  prefix: string;
  sinceMillis: number | undefined;
  now?: () => number;
}): ViewSource {
  let known = new Map<string, ViewObject>();
  let isRead = false;
  return {
    name,
    sinceMillis,
    async list() {
      const fromMillis = isRead ? now() - LATE_MILLIS : sinceMillis;
      for await (const objects of walkObjects(storage, {
        prefix,
        ...(fromMillis === undefined ? {} : { fromMillis }),
      })) {
        for (const object of objects) {
          if (isTraceName(object.key)) known.set(object.key, toViewObject(object, minuteOf(object.key)));
        }
        if (known.size > 2 * MAX_OBJECTS)
          known = new Map(newestFirst([...known.values()]).map((one) => [one.key, one]));
      }
      isRead = true;
      return newestFirst([...known.values()]);
    },
    async get(key) {
      // Only what was listed: a page cannot read the rest of the bucket through us.
      if (!known.has(key)) return undefined;
      try {
        return await storage.get(key, { maxBytes: MAX_OBJECT_BYTES });
      } catch (error) {
        if (isStorageError(error) && error.tooLarge) return undefined;
        throw error;
      }
    },
  };
}
