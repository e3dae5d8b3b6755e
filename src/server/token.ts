import { decodeBase64Url, encodeBase64Url } from './base64url.js';
import { createMac, type Mac } from './mac.js';

/** What a token proves: this server issued `key` for `project` at that time. */
export interface TokenClaim {
  key: string;
  /** The project's name, as in the key; not its public key. */
  project: string;
  /** Epoch milliseconds, whole seconds. */
  issuedAtMillis: number;
}

/** Issues and checks tokens: `1.{payload}.{mac}`, both base64url, the payload `{seconds}\n{project}\n{key}`. */
export interface Tokens {
  issue(key: string, project: string): Promise<string>;
  /** Undefined when the token is forged, foreign, too old or from the future. Never throws. */
  verify(token: string): Promise<TokenClaim | undefined>;
}

export interface TokensOptions {
  /** At least one. The first signs, all verify. */
  secrets: readonly string[];
  maxAgeSeconds: number;
  /** Epoch milliseconds. */
  now: () => number;
}

const PURPOSE = 'spandrel token 1';
/** Longer than any token we issue; spares the MAC of absurd input. */
export const MAX_TOKEN_LENGTH = 1024;
/** Servers of one endpoint may disagree about the time by this much. */
export const CLOCK_SKEW_MILLIS = 300_000;

/**
 * Tokens that need no store: whoever holds one may renew, confirm and relay exactly its key, and nothing else.
 */
export function createTokens({ secrets, maxAgeSeconds, now }: TokensOptions): Tokens {
  const macs = secrets.map((secret) => createMac(secret, PURPOSE));

  return {
    async issue(key, project) {
      const payload = `${Math.floor(now() / 1000)}\n${project}\n${key}`;
      const [signing] = macs as [Mac];
      return `1.${encodeText(payload)}.${encodeBase64Url(await signing.sign(payload))}`;
    },

    async verify(token) {
      if (token.length > MAX_TOKEN_LENGTH) return undefined;
      const [version, encodedPayload = '', encodedMac = '', ...rest] = token.split('.');
      if (version !== '1' || rest.length > 0) return undefined;
      const payload = decodeText(encodedPayload);
      const mac = decodeBase64Url(encodedMac);
      if (payload === undefined || mac === undefined) return undefined;
      if (!(await verifyAny(macs, payload, mac))) return undefined;

      const [seconds = '', project = '', key = ''] = payload.split('\n');
      const issuedAtMillis = Number(seconds) * 1000;
      const ageMillis = now() - issuedAtMillis;
      // Asked this way, a time that is none is out of time.
      if (!(ageMillis <= maxAgeSeconds * 1000 && ageMillis >= -CLOCK_SKEW_MILLIS)) return undefined;
      return { key, project, issuedAtMillis };
    },
  };
}

async function verifyAny(macs: readonly Mac[], payload: string, mac: Uint8Array<ArrayBuffer>) {
  for (const candidate of macs) {
    if (await candidate.verify(payload, mac)) return true;
  }
  return false;
}

function encodeText(text: string): string {
  return encodeBase64Url(new TextEncoder().encode(text));
}

function decodeText(text: string): string | undefined {
  const bytes = decodeBase64Url(text);
  return bytes && new TextDecoder().decode(bytes);
}
