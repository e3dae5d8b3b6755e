import { checkS3Options, type S3Options } from '../../server/s3-options.js';
import type { Ask, HttpAnswer } from '../http.js';

/** One request with the bucket's credentials. @param path what follows the bucket's address, query included. */
export async function askAsOwner(
  options: S3Options,
  ask: Ask,
  method: 'GET' | 'HEAD' | 'PUT',
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<HttpAnswer> {
  const { address, signer } = checkS3Options(options);
  const url = new URL(address + path);
  const signed = await signer.signHeaders({ method, url, headers });
  return ask(url, { method, headers: signed, ...(body === undefined ? {} : { body }) });
}
