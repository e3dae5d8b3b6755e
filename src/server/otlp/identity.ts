import type { Signal } from '../../object-key.js';
import type { ItemJson, LogRecordJson, NanosJson, SpanJson } from '../../wire/otlp-json.js';
import { UUID_RANDOM_BYTES, uuidV7 } from '../uuid.js';

/**
 * The id of what a request holds, laid out as a UUIDv7: the time is that of its latest item, the rest is a hash of the
 * text. So a request that comes again, because its answer was lost, is the same object, which is written once.
 *
 * Two requests that are equal to the last nanosecond are taken for one.
 *
 * @param text of the whole object.
 */
export async function idOf(text: string, items: readonly ItemJson[], signal: Signal): Promise<string> {
  const bytes = new TextEncoder().encode(`${signal}\n${text}`);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return uuidV7(latestMillis(items), hash.subarray(0, UUID_RANDOM_BYTES));
}

/** Of 48 bits. */
const MAX_MILLIS = 2 ** 48 - 1;

/** When the latest span ended, or the latest record was made or observed. 0 where none says. */
function latestMillis(items: readonly ItemJson[]): number {
  let latest = 0;
  for (const item of items) {
    const { endTimeUnixNano, startTimeUnixNano } = item as SpanJson;
    const { timeUnixNano, observedTimeUnixNano } = item as LogRecordJson;
    const nanos = [endTimeUnixNano, startTimeUnixNano, timeUnixNano, observedTimeUnixNano].find(isTime);
    latest = Math.max(latest, Math.floor(Number(nanos ?? 0) / 1e6));
  }
  return Math.min(latest, MAX_MILLIS);
}

const isTime = (nanos: NanosJson | undefined): boolean => Number(nanos ?? 0) > 0;
