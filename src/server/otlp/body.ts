import { readBounded } from '../../wire/bounded-read.js';
import type { IngestSettings } from '../ingest-settings.js';
import { Refusal } from '../refusal.js';
import { checkMagic } from '../trace-bytes.js';
import { readBody } from '../untrusted-body.js';

/** How the bytes of a request are to be read. */
export type OtlpEncoding = 'json' | 'protobuf';

export const CONTENT_TYPES: Record<OtlpEncoding, string> = {
  json: 'application/json',
  protobuf: 'application/x-protobuf',
};

/** What the headers say of a body. @throws {Refusal} `unsupported_type`. */
export function encodingOf(request: Request): { encoding: OtlpEncoding; isGzip: boolean } {
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';');
  const encoding = type.trim().toLowerCase();
  const compression = (request.headers.get('content-encoding') ?? 'identity').trim().toLowerCase();
  if (encoding !== CONTENT_TYPES.json && encoding !== CONTENT_TYPES.protobuf) {
    throw new Refusal('unsupported_type', 'Content-Type takes application/json and application/x-protobuf');
  }
  if (compression !== 'gzip' && compression !== 'identity') {
    throw new Refusal('unsupported_type', 'Content-Encoding takes gzip, or none');
  }
  return {
    encoding: encoding === CONTENT_TYPES.json ? 'json' : 'protobuf',
    isGzip: compression === 'gzip',
  };
}

/** The body as it comes, compressed or not, at most `maxInflatedBytes`. @throws {Refusal} */
export async function readOtlpBody(
  request: Request,
  { maxInflatedBytes, bodyTimeoutMillis }: IngestSettings,
): Promise<Uint8Array<ArrayBuffer>> {
  // Nothing is read of what says itself that it is too long. What lies is stopped as it is read.
  if (Number(request.headers.get('content-length')) > maxInflatedBytes) throw tooLarge(maxInflatedBytes);
  return readBody(request, { maxBytes: maxInflatedBytes, timeoutMillis: bodyTimeoutMillis });
}

/** @throws {Refusal} `malformed` when it is not gzip, `too_large` past a limit. */
export async function inflated(
  bytes: Uint8Array<ArrayBuffer>,
  { maxInflatedBytes, maxInflateRatio }: IngestSettings,
): Promise<Uint8Array<ArrayBuffer>> {
  checkMagic(bytes);
  const maxBytes = Math.min(maxInflatedBytes, Math.floor(bytes.length * maxInflateRatio));
  let inflated: Uint8Array<ArrayBuffer> | undefined;
  try {
    inflated = await readBounded(new Blob([bytes]).stream().pipeThrough(gunzip()), maxBytes);
  } catch {
    throw new Refusal('malformed', 'the body is not one gzip member, or is damaged');
  }
  if (!inflated) throw tooLarge(maxBytes);
  return inflated;
}

/** Its type is narrower than that of what it is piped through. */
const gunzip = () =>
  new DecompressionStream('gzip') as ReadableWritablePair<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>;

const tooLarge = (maxBytes: number): Refusal =>
  new Refusal('too_large', `the body takes ${maxBytes} bytes at most, inflated; send fewer at a time`);
