/** Base64 for URLs, without padding (RFC 4648 section 5). For short byte strings: tokens, MACs. */

export function encodeBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/**
 * The bytes that `text` encodes, or undefined when it is not exactly what {@link encodeBase64Url} writes.
 *
 * The last character may carry bits that decoding throws away; two texts would then mean the same bytes,
 * and a token could be changed and still verify. So only the one canonical text is taken.
 */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return encodeBase64Url(bytes) === text ? bytes : undefined;
}
