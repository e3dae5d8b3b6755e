/**
 * Signature Version 4, by aws4fetch.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
import { AwsV4Signer } from 'aws4fetch';

/** What every signature needs beside what is signed. */
export interface SigningIdentity {
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** For temporary credentials. */
  sessionToken?: string;
}

/** A request that is to be signed. Its body never is: browsers would have to be told its hash beforehand. */
export interface SignableRequest {
  method: string;
  /** With its path percent-encoded as {@link encodeStrictly} does; without a query where it is presigned. */
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

type SignerOptions = ConstructorParameters<typeof AwsV4Signer>[0];

/** Hands out the key that signs all of a day, `YYYYMMDD`. */
type DayKey = (day: string) => Promise<CryptoKey>;

/** Signs by a key that is derived and imported once a day. A form's signature is that of its policy, by the same key. */
class DaySigner extends AwsV4Signer {
  readonly #keyOf: DayKey;
  readonly #policy: string | undefined;

  constructor(options: SignerOptions, keyOf: DayKey, policy?: string) {
    super(options);
    this.#keyOf = keyOf;
    this.#policy = policy;
  }

  override async signature(): Promise<string> {
    const key = await this.#keyOf(this.datetime.slice(0, 8));
    return hex(await sign(key, this.#policy ?? (await this.stringToSign())));
  }
}

const encoder = new TextEncoder();
const hex = (bits: ArrayBuffer): string =>
  Array.from(new Uint8Array(bits), (byte) => byte.toString(16).padStart(2, '0')).join('');
const keyFrom = (bits: BufferSource): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', bits, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
const sign = (key: CryptoKey, text: string): Promise<ArrayBuffer> =>
  crypto.subtle.sign('HMAC', key, encoder.encode(text));

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html on the signing key. */
function createDayKeys({ secretAccessKey, region }: SigningIdentity): DayKey {
  // The key itself is kept, not the promise of it: on Workers a promise belongs to the request that made it.
  let known: { day: string; key: CryptoKey } | undefined;
  return async (day) => {
    if (known?.day === day) return known.key;
    let key = await keyFrom(encoder.encode(`AWS4${secretAccessKey}`));
    for (const part of [day, region, 's3', 'aws4_request']) key = await keyFrom(await sign(key, part));
    known = { day, key };
    return key;
  };
}

/** @param now epoch milliseconds. */
export function createSigner(identity: SigningIdentity, now: () => number): Signer {
  const keyOf = createDayKeys(identity);
  const optionsFor = (request: { method: string; url: string; headers?: Record<string, string> }) => ({
    ...identity,
    ...request,
    service: 's3',
    datetime: new Date(now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    // It would by itself leave out `content-type` and `content-length`.
    allHeaders: true,
  });

  return {
    async presign({ method, url, headers }, expiresInSeconds) {
      const expiring = `${url.href}?X-Amz-Expires=${expiresInSeconds}`;
      const options = optionsFor({ method, url: expiring, headers });
      return (await new DaySigner({ ...options, signQuery: true }, keyOf).sign()).url.href;
    },

    async signHeaders({ method, url, headers }) {
      const signed = await new DaySigner(optionsFor({ method, url: url.href, headers }), keyOf).sign();
      return Object.fromEntries(signed.headers);
    },

    async signForm(policyOf) {
      // Of the request nothing is signed.
      const options = optionsFor({ method: 'POST', url: 'https://form.invalid' });
      const { credentialString, datetime } = new AwsV4Signer(options);
      const fields: Record<string, string> = {
        'x-amz-algorithm': 'AWS4-HMAC-SHA256',
        'x-amz-credential': `${identity.accessKeyId}/${credentialString}`,
        'x-amz-date': datetime,
        ...(identity.sessionToken ? { 'x-amz-security-token': identity.sessionToken } : {}),
      };
      const policy = base64(policyOf(fields));
      return {
        ...fields,
        policy,
        'x-amz-signature': await new DaySigner(options, keyOf, policy).signature(),
      };
    },
  };
}

/** Percent-encodes all but RFC 3986's unreserved characters, which `encodeURIComponent` does not quite. */
export function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
