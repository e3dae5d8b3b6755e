/** Two lowercase digits for each byte. */
export const hexOf = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/**
 * A UUID version 7: sortable by creation, the rest random.
 *
 * @param nowMillis epoch milliseconds.
 * @param random 10 random bytes.
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
 */
export function uuidv7(nowMillis: number, random: Uint8Array): string {
  const time = Math.max(0, Math.floor(nowMillis)).toString(16).padStart(12, '0').slice(-12);
  const hex = hexOf(random);
  const variant = (8 + (Number.parseInt(hex[3] as string, 16) & 3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-${variant}${hex.slice(4, 7)}-${hex.slice(7, 19)}`;
}
