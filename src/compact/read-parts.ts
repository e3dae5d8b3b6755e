import type { QuarantineReason } from '../forward/batch.js';
import { inBatches } from '../forward/batches.js';
import { fetchObjects } from '../forward/fetch-objects.js';
import { inspect } from '../forward/inspect.js';
import type { RequestJson } from '../forward/otlp-json.js';
import type { StoredObject } from '../server/storage.js';
import type { BucketSettings } from './compact-settings.js';
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

/** What rules add to an object needs room too: by so much less than readers take is written. */
const SHARE = 0.8;
/** Of many small objects, what takes no room in JSON does in memory. */
const MAX_PART_OBJECTS = 20_000;

/**
 * Reads objects and takes them apart, in the order of keys, a part at a time. What cannot be read goes to the quarantine,
 * with a reason, and what is too large stays, with a note.
 *
 * @throws {StorageError}
 */
export async function* readParts(
  objects: readonly StoredObject[],
  { storage, settler }: Pick<Workshop, 'storage' | 'settler'>,
  settings: BucketSettings,
  aside: Aside,
  change?: (request: RequestJson) => Promise<void>,
): AsyncGenerator<Part> {
  const { limits, gunzip, maxObjectBytes } = settings;
  const maxBytes = limits.maxInflatedBytes * SHARE;
  const maxSpans = limits.maxSpans * SHARE;
  const putAside = async (
    { key, size }: StoredObject,
    reason: QuarantineReason,
    message: string,
    bytes?: Uint8Array<ArrayBuffer>,
  ): Promise<void> => {
    const fate = reason === 'too-large' ? 'left' : 'quarantined';
    const held = bytes && fate === 'quarantined' ? { bytes } : {};
    await settler.settle([{ key, size, fate, reason, message, ...held }]);
    aside.quarantined[reason] = (aside.quarantined[reason] ?? 0) + 1;
  };

  let part: Part = { inputs: [], spans: [], readBytes: 0 };
  let texts = createSpanTexts();
  let byteCount = 0;
  let rest = [...objects];
  while (rest.length > 0) {
    const postponed: StoredObject[] = [];
    for (const batch of inBatches(rest, { maxBatchObjects: 1_000, maxBatchBytes: settings.maxBatchBytes })) {
      const small = batch.filter(({ size }) => !(size > maxObjectBytes));
      const fetched = await fetchObjects(storage, small, settings);
      aside.vanished += fetched.vanished.length;
      aside.unreadable += fetched.unreadable.length;
      postponed.push(...fetched.postponed);
      for (const object of [...batch.filter(({ size }) => size > maxObjectBytes), ...fetched.tooLarge]) {
        await putAside(object, 'too-large', `larger than ${maxObjectBytes} bytes; it was left where it is`);
      }
      fetched.objects.sort((one, other) => (one.key < other.key ? -1 : 1));
      for (const { bytes, ...object } of fetched.objects) {
        const inspected = await inspect(bytes, limits, { asStored: false, gunzip });
        if ('reason' in inspected) {
          await putAside(object, inspected.reason, inspected.message, bytes);
          continue;
        }
        const { request, spanCount, inflatedBytes } = inspected;
        const isFull =
          byteCount + inflatedBytes > maxBytes ||
          part.spans.length + spanCount > maxSpans ||
          part.inputs.length >= MAX_PART_OBJECTS;
        if (isFull && part.inputs.length > 0) {
          yield part;
          part = { inputs: [], spans: [], readBytes: 0 };
          texts = createSpanTexts();
          byteCount = 0;
        }
        part.inputs.push(object);
        for (const span of await texts.of(request, change)) part.spans.push(span);
        part.readBytes += bytes.length;
        byteCount += inflatedBytes;
      }
    }
    rest = postponed;
  }
  if (part.inputs.length > 0) yield part;
}
