import { folderOf } from '../forward/folder.js';
import { splitKey } from '../server/forwarded.js';
import type { StoredObject } from '../server/storage.js';
import { uuidV7, uuidV7Millis } from '../server/uuid.js';
import type { BucketSettings } from './compact-settings.js';
import { compactedIdOf, compactedKey, digestOf, periodOf } from './period.js';
import type { Workshop } from './replace.js';
import { requestOf, type SpanText } from './span-text.js';

/** An object in which something is to go. */
export interface Found {
  object: StoredObject;
  staying: SpanText[];
}

/** `moved`: it has become part of another meanwhile. */
export type Erased = 'rewritten' | 'deleted' | 'busy' | 'moved';

/** Writes an object anew without what goes; of nothing there is none. @throws {StorageError} */
export async function eraseFrom(
  { object, staying }: Found,
  workshop: Workshop,
  settings: BucketSettings,
): Promise<Erased> {
  const { key } = object;
  const { folder, name } = splitKey(key);
  const lease = workshop.leaseOf([folder]);
  if (!(await lease.hold())) return 'busy';
  try {
    const fate = (await (await workshop.notes.open(folder)).of([object])).get(name);
    if (fate && fate !== 'sent' && fate !== 'left') {
      await workshop.settler.removeNoted([{ key, fate }]);
      return 'moved';
    }
    const isSent = fate === 'sent';
    if (staying.length === 0) {
      await workshop.replace({ inputs: [object], isSent });
      return 'deleted';
    }
    const bytes = await settings.gzip(requestOf(staying));
    const output = { key: await keyWithout(object, staying, settings), bytes };
    await workshop.replace({ inputs: [object], output, isSent });
    return 'rewritten';
  } finally {
    await lease.release();
  }
}

/** In the same folder, and as compacted as it was. */
async function keyWithout(
  { key }: StoredObject,
  staying: readonly SpanText[],
  { period: length }: BucketSettings,
): Promise<string> {
  const { folder, name } = splitKey(key);
  const purpose = JSON.stringify(['erase', staying.map(({ traceId, spanId }) => traceId + spanId)]);
  const place = folderOf(key);
  const period = periodOf(place, length);
  const compacted = period && compactedIdOf(key, period);
  if (period && compacted) return compactedKey(period, compacted, [key], purpose);
  const digest = await digestOf([purpose, key]);
  // As a client's.
  digest[0] = 0;
  const atMillis =
    uuidV7Millis(name.slice('traces_'.length, -'.json.gz'.length)) ?? place.startsAtMillis ?? 0;
  return `${folder}/traces_${uuidV7(atMillis, digest)}.json.gz`;
}
