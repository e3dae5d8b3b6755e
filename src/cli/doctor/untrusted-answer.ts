import { BLOB_PROTOCOL_VERSION, type PresignedUpload } from '../../protocol.js';
import { isObject } from '../../server/untrusted-body.js';

/** What an endpoint gives for one id. */
export interface Upload extends Omit<PresignedUpload, 'key' | 'token'> {
  id: string;
  /** As the form says it, or the URL's path, before which bucket and more may stand: see `keyUnder`. */
  key: string;
}

/** What of an endpoint's answer doctor uses. */
export interface Issued {
  uploads: Upload[];
  /** Ids of which it says that they are there. */
  stored: string[];
  isPaused: boolean;
  /** The store takes nothing from outside. */
  isRelayOnly: boolean;
}

/** The endpoint may be anybody's: these bound what it can make us keep and send. */
const MAX_LIST = 100;
const MAX_FIELDS = 40;
const MAX_CHARS = 8_192;
/** Headers of a connection or of credentials are not the endpoint's to choose. */
const FORBIDDEN =
  /^(host|connection|content-length|transfer-encoding|authorization|cookie|proxy-.*|origin|referer|expect|te|upgrade)$/i;
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = /^[\x20-\x7e]*$/;

/** Reads the answer to an exchange; a text that says what is wrong with it when it is none. */
export function readIssued(body: Uint8Array): Issued | string {
  let answer: unknown;
  try {
    answer = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return 'the answer is not JSON';
  }
  if (!isObject(answer)) return 'the answer is not a JSON object';
  if (answer['v'] !== BLOB_PROTOCOL_VERSION)
    return `the answer is not of version ${BLOB_PROTOCOL_VERSION} of the protocol`;
  if (!Array.isArray(answer['uploads'])) return 'the answer has no uploads';
  const told = answer['uploads'].slice(0, MAX_LIST).filter((one) => !isObject(one) || !('error' in one));
  const isStored = (one: unknown): one is { id: string } =>
    isObject(one) && one['stored'] === true && isText(one['id']);
  const uploads = told.filter((one) => !isStored(one)).map(readUpload);
  const wrong = uploads.find((upload) => typeof upload === 'string');
  if (typeof wrong === 'string') return wrong;
  return {
    uploads: uploads as Upload[],
    stored: told.filter(isStored).map(({ id }) => id),
    isPaused: isObject(answer['config']) && answer['config']['paused'] === true,
    isRelayOnly: answer['relay'] === true,
  };
}

/** The code of an endpoint's error, if it is one. */
export function errorCodeOf(body: Uint8Array): string | undefined {
  const error = jsonRecordOf(body)?.['error'];
  const code = isObject(error) ? error['code'] : undefined;
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? code : undefined;
}

function readUpload(value: unknown): Upload | string {
  if (!isObject(value)) return 'an upload is not an object';
  const { id, method, url, headers, fields, expiresInMs, bytes, maxBytes } = value as unknown as Upload;
  if (method !== 'PUT' && method !== 'POST') return 'an upload is neither PUT nor POST';
  if (!isText(url) || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    return 'an upload has no http(s) URL';
  if (!isText(id)) return 'an upload has no id';
  if (!isTexts(headers)) return 'an upload has no headers';
  for (const [name, text] of Object.entries(headers)) {
    if (FORBIDDEN.test(name)) return 'an upload sets a header that is not for it to set';
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(text)) return 'an upload has a header that is none';
  }
  if (fields !== undefined && !isTexts(fields)) return 'an upload has form fields that are none';
  if (!(typeof expiresInMs === 'number' && expiresInMs > 0)) return 'an upload has no lifetime';
  const key = fields?.['key'] ?? decoded(new URL(url).pathname).slice(1);
  const upload: Upload = { id, method, url, headers, key, expiresInMs };
  if (fields !== undefined) upload.fields = fields;
  if (typeof bytes === 'number') upload.bytes = bytes;
  if (typeof maxBytes === 'number') upload.maxBytes = maxBytes;
  return upload;
}

/** A JSON object; undefined where it is none. */
export function jsonRecordOf(body: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A key that begins with `root`, out of a path that ends with it; the path itself where it does not. */
export function keyUnder(root: string, path: string): string {
  const at = `/${path}`.lastIndexOf(`/${root}/`);
  return at < 0 ? path : path.slice(at);
}

export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_CHARS;

function isTexts(value: unknown): value is Record<string, string> {
  if (!isObject(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= MAX_FIELDS &&
    entries.every(([, text]) => typeof text === 'string' && text.length <= MAX_CHARS)
  );
}
