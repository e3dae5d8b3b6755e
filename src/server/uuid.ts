/** UUIDs: any version is recognised; made is UUIDv7, a 48-bit time in milliseconds, then 74 bits nobody guesses. */

const UUID_V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether `value` is a UUID in lowercase with dashes, the one way that we write them. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

/** Bytes that {@link uuidV7} takes; six bits of them give way to version and variant. */
export const UUID_RANDOM_BYTES = 10;

/**
 * Writes a UUIDv7 in lowercase with dashes.
 *
 * @param atMillis epoch milliseconds, 0 to 2^48 - 1.
 * @param random at least {@link UUID_RANDOM_BYTES} bytes; the rest is not looked at.
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-5.7
 */
export function uuidV7(atMillis: number, random: Uint8Array): string {
  const bytes = random.slice(0, UUID_RANDOM_BYTES);
  const [version = 0, , variant = 0] = bytes;
  bytes[0] = 0x70 | (version & 0x0f);
  bytes[2] = 0x80 | (variant & 0x3f);
  const tail = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const hex = Math.floor(atMillis).toString(16).padStart(12, '0') + tail;
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The epoch milliseconds inside a lowercase UUIDv7, or undefined when `text` is anything else. */
export function uuidV7Millis(text: string): number | undefined {
  const match = UUID_V7.exec(text);
  return match ? Number.parseInt(`${match[1]}${match[2]}`, 16) : undefined;
}
