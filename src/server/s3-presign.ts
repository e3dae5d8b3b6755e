import type { S3Settings } from './s3-options.js';
import { encodeStrictly } from './sigv4.js';
import { type PresignedRequest, type PresignOptions, StorageError } from './storage.js';

/** The headers of an object, with which it is written once where the store can. */
export function objectHeaders(
  { writeOnce, contentEncoding }: Pick<S3Settings, 'writeOnce' | 'contentEncoding'>,
  contentType?: string,
): Record<string, string> {
  return {
    'content-type': contentType ?? 'application/gzip',
    ...(writeOnce ? { 'if-none-match': '*' } : {}),
    ...(contentEncoding && !contentType ? { 'content-encoding': 'gzip' } : {}),
  };
}

/** In the key of a form, stores put the name that the sender gave the file in its place. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is theirs.
const SENDERS_CHOICE = '${filename}';

/** @throws {TypeError} when URL parsing would change the key (`.` and `..` segments). */
export function objectUrl(address: string, key: string): URL {
  const href = `${address}/${key.split('/').map(encodeStrictly).join('/')}`;
  const url = new URL(href);
  if (key === '' || url.href !== href) throw notAKey();
  return url;
}

/** A `PUT`: its headers are signed, and so is the length, which no browser lets a page set. */
export async function presignPut(
  settings: S3Settings,
  key: string,
  { expiresInSeconds, bytes }: PresignOptions,
): Promise<PresignedRequest> {
  const headers = objectHeaders(settings);
  const signed = bytes === undefined ? headers : { ...headers, 'content-length': String(bytes) };
  const request = { method: 'PUT', url: objectUrl(settings.publicAddress, key), headers: signed };
  return { method: 'PUT', url: await settings.signer.presign(request, expiresInSeconds), headers };
}

/**
 * A form: its policy names each field to the letter, so that nothing can be changed or added.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 */
export async function presignPost(
  settings: S3Settings,
  key: string,
  { expiresInSeconds, bytes }: PresignOptions,
): Promise<PresignedRequest> {
  objectUrl(settings.publicAddress, key);
  if (key.includes(SENDERS_CHOICE)) throw notAKey();
  const object: Record<string, string> = {
    key,
    'Content-Type': 'application/gzip',
    ...(settings.contentEncoding ? { 'Content-Encoding': 'gzip' } : {}),
    success_action_status: '204',
  };
  const signature = await settings.signer.signForm((fields) => {
    const all = Object.entries({ ...object, ...fields });
    return JSON.stringify({
      expiration: new Date(settings.now() + expiresInSeconds * 1000).toISOString(),
      conditions: [
        { bucket: settings.bucket },
        ...all.map(([name, value]) => ['eq', `$${name}`, value]),
        ...(bytes === undefined ? [] : [['content-length-range', 1, bytes]]),
      ],
    });
  });
  return { method: 'POST', url: settings.publicAddress, headers: {}, fields: { ...object, ...signature } };
}

/** As a store would answer that was asked for it. */
const notAKey = (): StorageError => new StorageError('not an object key', { httpStatus: 400 });
