import { PROTOCOL_VERSION, type PresignedUpload } from '../../protocol.js';

/** What of an endpoint's answer doctor uses. */
export interface Issued {
  uploads: PresignedUpload[];
  confirmed: { token: string; stored: boolean }[];
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
  if (!isRecord(answer)) return 'the answer is not a JSON object';
  if (answer['v'] !== PROTOCOL_VERSION)
    return `the answer is not of version ${PROTOCOL_VERSION} of the protocol`;
  if (!Array.isArray(answer['uploads'])) return 'the answer has no uploads';
  const uploads = answer['uploads'].slice(0, MAX_LIST).map(readUpload);
  const wrong = uploads.find((upload) => typeof upload === 'string');
  if (typeof wrong === 'string') return wrong;
  const confirmed = Array.isArray(answer['confirmed']) ? answer['confirmed'].slice(0, MAX_LIST) : [];
  return {
    uploads: uploads as PresignedUpload[],
    confirmed: confirmed.filter(
      (one) => isRecord(one) && typeof one['token'] === 'string' && typeof one['stored'] === 'boolean',
    ),
    isPaused: isRecord(answer['config']) && answer['config']['paused'] === true,
    isRelayOnly: answer['relay'] === true,
  };
}

/** The code of an endpoint's error, if it is one. */
export function errorCodeOf(body: Uint8Array): string | undefined {
  try {
    const { error } = JSON.parse(new TextDecoder().decode(body));
    return typeof error.code === 'string' && /^\w{1,40}$/.test(error.code) ? error.code : undefined;
  } catch {
    return undefined;
  }
}

function readUpload(value: unknown): PresignedUpload | string {
  if (!isRecord(value)) return 'an upload is not an object';
  const { method, url, headers, fields, key, token, expiresInMs, bytes, maxBytes } =
    value as unknown as PresignedUpload;
  if (method !== 'PUT' && method !== 'POST') return 'an upload is neither PUT nor POST';
  if (!isText(url) || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    return 'an upload has no http(s) URL';
  if (!isText(key) || !isText(token)) return 'an upload has no key, or no token';
  if (!isTexts(headers)) return 'an upload has no headers';
  for (const [name, text] of Object.entries(headers)) {
    if (FORBIDDEN.test(name)) return 'an upload sets a header that is not for it to set';
    if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(text)) return 'an upload has a header that is none';
  }
  if (fields !== undefined && !isTexts(fields)) return 'an upload has form fields that are none';
  if (!(typeof expiresInMs === 'number' && expiresInMs > 0)) return 'an upload has no lifetime';
  const upload: PresignedUpload = { method, url, headers, key, token, expiresInMs };
  if (fields !== undefined) upload.fields = fields;
  if (typeof bytes === 'number') upload.bytes = bytes;
  if (typeof maxBytes === 'number') upload.maxBytes = maxBytes;
  return upload;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_CHARS;

function isTexts(value: unknown): value is Record<string, string> {
  if (!isRecord(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= MAX_FIELDS &&
    entries.every(([, text]) => typeof text === 'string' && text.length <= MAX_CHARS)
  );
}
