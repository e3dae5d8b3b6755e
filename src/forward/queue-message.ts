import { isObject } from '../server/untrusted-body.js';

/** An object that a message tells of. */
export interface ToldObject {
  key: string;
  /** Absent where the message does not say. */
  size?: number;
}

/** R2's actions that bring an object. */
const CREATED = new Set(['PutObject', 'CopyObject', 'CompleteMultipartUpload']);
const DELETED = /^(DeleteObject|LifecycleDeletion)$/;

/**
 * The objects that a message tells of: an R2 event notification, or an S3 event with its `Records`, as an object or as
 * JSON. Empty where objects were deleted or restored.
 *
 * @returns undefined when it is neither.
 * @see https://developers.cloudflare.com/r2/buckets/event-notifications/#message-format
 */
export function objectsOf(body: unknown): ToldObject[] | undefined {
  const message = typeof body === 'string' ? parsed(body) : body;
  if (!isObject(message)) return undefined;
  const { action, object, Records: records } = message;
  if (Array.isArray(records)) return ofRecords(records);
  if (typeof action !== 'string') {
    // What S3 sends once, as it is set up.
    return message['Event'] === 's3:TestEvent' ? [] : undefined;
  }
  if (DELETED.test(action)) return [];
  return CREATED.has(action) && isObject(object) ? one(object['key'], object['size']) : undefined;
}

function ofRecords(records: readonly unknown[]): ToldObject[] | undefined {
  const objects: ToldObject[] = [];
  for (const record of records) {
    const { eventName, s3 } = isObject(record) ? record : {};
    const object = isObject(s3) ? s3['object'] : undefined;
    if (typeof eventName !== 'string') return undefined;
    if (!/^(s3:)?ObjectCreated:/.test(eventName)) continue;
    const key =
      isObject(object) && typeof object['key'] === 'string' ? formDecoded(object['key']) : undefined;
    const told = isObject(object) ? one(key, object['size']) : undefined;
    if (!told) return undefined;
    objects.push(...told);
  }
  return objects;
}

function one(key: unknown, size: unknown): ToldObject[] | undefined {
  if (typeof key !== 'string' || key === '') return undefined;
  return [{ key, ...(typeof size === 'number' && size >= 0 ? { size } : {}) }];
}

/** The key of an S3 event: a space is `+`, slashes stay. Undefined where it is not encoded. */
function formDecoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded.replace(/\+/g, ' '));
  } catch {
    return undefined;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
