/** HMAC-SHA256 under one secret for one purpose. */
export interface Mac {
  sign(text: string): Promise<Uint8Array<ArrayBuffer>>;
  /** In constant time. */
  verify(text: string, mac: Uint8Array<ArrayBuffer>): Promise<boolean>;
}

const encoder = new TextEncoder();

/**
 * Binds a secret to a purpose: a MAC made for one purpose is worth nothing for another.
 *
 * @param purpose a fixed text without newline.
 */
export function createMac(secret: string, purpose: string): Mac {
  // The key itself is kept, not the promise of it: on Workers a promise belongs to the request that made it.
  let key: CryptoKey | undefined;
  const load = async (): Promise<CryptoKey> => {
    key ??= await crypto.subtle.importKey(
      'raw',
      encoder.encode(secret),
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign', 'verify'],
    );
    return key;
  };
  const message = (text: string) => encoder.encode(`${purpose}\n${text}`);
  return {
    async sign(text) {
      return new Uint8Array(await crypto.subtle.sign('HMAC', await load(), message(text)));
    },
    async verify(text, mac) {
      return crypto.subtle.verify('HMAC', await load(), mac, message(text));
    },
  };
}
