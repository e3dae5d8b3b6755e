import type { QuarantineReason } from '../forward/batch.js';
import type { StoredObject } from '../server/storage.js';
import type { RequestJson } from '../wire/otlp-json.js';
import type { BucketSettings } from './compact-settings.js';
import { type NotRead, readObjects } from './read-objects.js';
import type { Workshop } from './replace.js';
import { createSpanTexts, type SpanText } from './span-text.js';

/** Objects whose spans fit into one. */
export interface Part {
  inputs: StoredObject[];
  /** In the order of inputs. */
  spans: SpanText[];
  readBytes: number;
}

/** What became of objects that are in no part. */
export interface Aside {
  vanished: number;
  unreadable: number;
  quarantined: Partial<Record<QuarantineReason, number>>;
}

/** What becomes one. */
export interface PartLimits {
  maxObjects: number;
  /** Of JSON. */
  maxBytes: number;
  /** Of gzip, before: what it becomes takes no more. */
  maxStoredBytes: number;
  maxSpans: number;
}

/**
 * Reads objects and takes them apart, in the order of keys, a part at a time. What cannot be read goes to the quarantine,
 * with a reason, and what is too large stays, with a note.
 *
 * @throws {StorageError}
 */
export async function* readParts(
  objects: readonly StoredObject[],
  { storage, settler }: Pick<Workshop, 'storage' | 'settler'>,
  settings: BucketSettings & { part: PartLimits },
  aside: Aside,
  change?: (request: RequestJson) => Promise<void>,
): AsyncGenerator<Part> {
  const { maxBytes, maxStoredBytes, maxSpans, maxObjects } = settings.part;
  const putAside = async ({ object, why, message, bytes }: NotRead): Promise<void> => {
    if (why === 'vanished') aside.vanished += 1;
    else if (why === 'unreadable') aside.unreadable += 1;
    else {
      const fate = why === 'too-large' ? 'left' : 'quarantined';
      const held = bytes && fate === 'quarantined' ? { bytes } : {};
      await settler.settle([{ key: object.key, size: object.size, fate, reason: why, message, ...held }]);
      aside.quarantined[why] = (aside.quarantined[why] ?? 0) + 1;
    }
  };

  let part: Part = { inputs: [], spans: [], readBytes: 0 };
  let texts = createSpanTexts();
  let byteCount = 0;
  for await (const read of readObjects(objects, storage, settings)) {
    if ('why' in read) {
      await putAside(read);
      continue;
    }
    const { object, request, spanCount, inflatedBytes, storedBytes } = read;
    const isFull =
      byteCount + inflatedBytes > maxBytes ||
      part.readBytes + storedBytes > maxStoredBytes ||
      part.spans.length + spanCount > maxSpans ||
      part.inputs.length >= maxObjects;
    if (isFull && part.inputs.length > 0) {
      yield part;
      part = { inputs: [], spans: [], readBytes: 0 };
      texts = createSpanTexts();
      byteCount = 0;
    }
    part.inputs.push(object);
    for (const span of await texts.of(request, change)) part.spans.push(span);
    part.readBytes += storedBytes;
    byteCount += inflatedBytes;
  }
  if (part.inputs.length > 0) yield part;
}
