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

type SignerOptions = ConstructorParameters<typeof AwsV4Signer>[0];

/** A form's signature is that of its policy, by the same keys. aws4fetch knows requests only. */
class PolicySigner extends AwsV4Signer {
  readonly #policy: string;

  constructor(options: SignerOptions, policy: string) {
    super(options);
    this.#policy = policy;
  }

  override async stringToSign(): Promise<string> {
    return this.#policy;
  }
}

/** @param now epoch milliseconds. */
export function createSigner(identity: SigningIdentity, now: () => number): Signer {
  /** The key of a day is derived once. */
  const cache = new Map<string, ArrayBuffer>();
  const optionsFor = (request: { method: string; url: string; headers?: Record<string, string> }) => ({
    ...identity,
    ...request,
    service: 's3',
    cache,
    datetime: new Date(now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    // It would by itself leave out `content-type` and `content-length`.
    allHeaders: true,
  });

  return {
    async presign({ method, url, headers }, expiresInSeconds) {
      const expiring = new URL(url);
      expiring.searchParams.set('X-Amz-Expires', String(expiresInSeconds));
      const options = optionsFor({ method, url: expiring.href, headers });
      return (await new AwsV4Signer({ ...options, signQuery: true }).sign()).url.href;
    },

    async signHeaders({ method, url, headers }) {
      const signed = await new AwsV4Signer(optionsFor({ method, url: url.href, headers })).sign();
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
      return { ...fields, policy, 'x-amz-signature': await new PolicySigner(options, policy).signature() };
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
