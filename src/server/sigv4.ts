/**
 * Signature Version 4 for object stores, as Amazon and as Google speak it. The two differ in words only.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 * @see https://cloud.google.com/storage/docs/authentication/signatures
 */

/** What every signature needs beside what is signed. */
export interface SigningIdentity {
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** For temporary credentials. */
  sessionToken?: string;
}

/** The words in which a store wants its signatures. */
export interface SigningDialect {
  algorithm: string;
  /** In front of the secret, when the first key is derived. */
  secretPrefix: string;
  service: string;
  terminator: string;
  /** Of its own headers, form fields and query parameters. */
  prefix: string;
}

export const AMAZON: SigningDialect = {
  algorithm: 'AWS4-HMAC-SHA256',
  secretPrefix: 'AWS4',
  service: 's3',
  terminator: 'aws4_request',
  prefix: 'X-Amz-',
};

/** Of `GOOG4` requests, which hold nothing of Amazon's: Google refuses both in one. */
export const GOOGLE: SigningDialect = {
  algorithm: 'GOOG4-HMAC-SHA256',
  secretPrefix: 'GOOG4',
  service: 'storage',
  terminator: 'goog4_request',
  prefix: 'X-Goog-',
};

/** A request that is to be signed. Its body never is: browsers would have to be told its hash beforehand. */
export interface SignableRequest {
  method: string;
  /** With its path percent-encoded as {@link encodeStrictly} does. */
  url: URL;
  /** All of them are signed, and the host. */
  headers: Record<string, string>;
}

export interface Signer {
  /** The URL with its signature in the query, good for so many seconds from now. */
  presign(request: SignableRequest, expiresInSeconds: number): Promise<string>;
  /** The headers given, and those that hold the signature. */
  signHeaders(request: SignableRequest): Promise<Record<string, string>>;
  /**
   * The fields of a form: those that name the signature's key and time, the policy and the signature.
   *
   * @param policyOf gives the policy, JSON, that must name the fields it is given.
   */
  signForm(policyOf: (fields: Record<string, string>) => string): Promise<Record<string, string>>;
}

/** @param now epoch milliseconds. */
export function createSigner(identity: SigningIdentity, dialect: SigningDialect, now: () => number): Signer {
  const { algorithm, prefix } = dialect;
  // The key itself is kept, not the promise of it: on Workers a promise belongs to the request that made it.
  let kept: { date: string; key: CryptoKey } | undefined;

  /** The key of a day is derived once. */
  async function signingKey(date: string): Promise<CryptoKey> {
    if (kept?.date === date) return kept.key;
    let secret = encoder.encode(dialect.secretPrefix + identity.secretAccessKey);
    for (const text of [date, identity.region, dialect.service, dialect.terminator]) {
      secret = await hmac(await importKey(secret), text);
    }
    kept = { date, key: await importKey(secret) };
    return kept.key;
  }

  /** When, by whom and for what: the frame of every signature. */
  function frame() {
    const time = new Date(now()).toISOString().replace(/[:-]|\.\d{3}/g, '');
    const date = time.slice(0, 8);
    const scope = `${date}/${identity.region}/${dialect.service}/${dialect.terminator}`;
    return { time, date, scope, credential: `${identity.accessKeyId}/${scope}` };
  }

  async function signatureOf(text: string, date: string): Promise<string> {
    return hex(await hmac(await signingKey(date), text));
  }

  async function signatureOfRequest(
    { method, url }: SignableRequest,
    { time, scope, date }: ReturnType<typeof frame>,
    headers: [string, string][],
    query: string,
    payload: string,
  ): Promise<string> {
    const lines = headers.map(([name, value]) => `${name}:${value.trim().replace(/\s+/g, ' ')}\n`).join('');
    const canonical = [method, url.pathname, query, lines, namesOf(headers), payload].join('\n');
    return signatureOf([algorithm, time, scope, await sha256(canonical)].join('\n'), date);
  }

  return {
    async presign(request, expiresInSeconds) {
      const at = frame();
      const headers = signedHeaders(request, request.headers);
      const parameters = [
        ...request.url.searchParams,
        [`${prefix}Algorithm`, algorithm],
        [`${prefix}Credential`, at.credential],
        [`${prefix}Date`, at.time],
        [`${prefix}Expires`, String(expiresInSeconds)],
        [`${prefix}SignedHeaders`, namesOf(headers)],
        ...(identity.sessionToken ? [[`${prefix}Security-Token`, identity.sessionToken]] : []),
      ] as [string, string][];
      const query = canonicalQuery(parameters);
      const signature = await signatureOfRequest(request, at, headers, query, UNSIGNED);
      return `${request.url.origin}${request.url.pathname}?${query}&${prefix}Signature=${signature}`;
    },

    async signHeaders(request) {
      const at = frame();
      const small = prefix.toLowerCase();
      const all: Record<string, string> = {
        [`${small}content-sha256`]: UNSIGNED,
        [`${small}date`]: at.time,
        ...(identity.sessionToken ? { [`${small}security-token`]: identity.sessionToken } : {}),
        ...request.headers,
      };
      const headers = signedHeaders(request, all);
      const query = canonicalQuery([...request.url.searchParams]);
      const payload = all[`${small}content-sha256`] as string;
      const signature = await signatureOfRequest(request, at, headers, query, payload);
      const authorization = `${algorithm} Credential=${at.credential}, SignedHeaders=${namesOf(headers)}, Signature=${signature}`;
      return { ...all, authorization };
    },

    async signForm(policyOf) {
      const { time, date, credential } = frame();
      const small = prefix.toLowerCase();
      const fields: Record<string, string> = {
        [`${small}algorithm`]: algorithm,
        [`${small}credential`]: credential,
        [`${small}date`]: time,
        ...(identity.sessionToken ? { [`${small}security-token`]: identity.sessionToken } : {}),
      };
      const policy = base64(policyOf(fields));
      return { ...fields, policy, [`${small}signature`]: await signatureOf(policy, date) };
    },
  };
}

const encoder = new TextEncoder();
const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** Percent-encodes all but RFC 3986's unreserved characters, which `encodeURIComponent` does not quite. */
export function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
}

function importKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
}

async function hmac(key: CryptoKey, text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text)));
}

async function sha256(text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text))));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...encoder.encode(text)));
}

function signedHeaders({ url }: SignableRequest, headers: Record<string, string>): [string, string][] {
  const all = Object.entries({ ...headers, host: url.host });
  return sorted(all.map(([name, value]) => [name.toLowerCase(), value]));
}

const namesOf = (headers: [string, string][]): string => headers.map(([name]) => name).join(';');

function canonicalQuery(parameters: [string, string][]): string {
  const encoded = parameters.map(([name, value]): [string, string] => [
    encodeStrictly(name),
    encodeStrictly(value),
  ]);
  return sorted(encoded)
    .map((pair) => pair.join('='))
    .join('&');
}

/** By name, as bytes are ordered. No name comes twice. */
function sorted(pairs: [string, string][]): [string, string][] {
  return pairs.sort(([left], [right]) => (left < right ? -1 : 1));
}
