import { isObject } from '../../server/untrusted-body.js';
import type { Upload } from './untrusted-answer.js';

/** What a presigned upload says of itself. */
export interface Signature {
  /** What is signed, in lower case: headers of a PUT, conditions of a POST. */
  names: string[];
  signedAtMillis: number | undefined;
  lifetimeMillis: number | undefined;
  /** Where a range of lengths is signed. */
  maxBytes: number | undefined;
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
export function signatureOf(upload: Upload): Signature {
  return upload.method === 'POST' ? ofPolicy(upload.fields ?? {}) : ofQuery(new URL(upload.url).searchParams);
}

function ofQuery(query: URLSearchParams): Signature {
  const get = (name: string): string => query.get(`X-Amz-${name}`) ?? query.get(`X-Goog-${name}`) ?? '';
  const seconds = Number(get('Expires'));
  return {
    names: get('SignedHeaders').toLowerCase().split(';').filter(Boolean),
    signedAtMillis: dateOf(get('Date')),
    lifetimeMillis: seconds > 0 ? seconds * 1_000 : undefined,
    maxBytes: undefined,
  };
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html */
function ofPolicy(fields: Record<string, string>): Signature {
  const field = (wanted: string): string =>
    Object.entries(fields).find(([name]) => name.toLowerCase() === wanted)?.[1] ?? '';
  const signedAtMillis = dateOf(field('x-amz-date'));
  const names: string[] = [];
  let maxBytes: number | undefined;
  let expiresAtMillis = Number.NaN;
  try {
    const policy: unknown = JSON.parse(Buffer.from(field('policy'), 'base64').toString());
    if (isObject(policy)) expiresAtMillis = Date.parse(String(policy['expiration']));
    const conditions = isObject(policy) && Array.isArray(policy['conditions']) ? policy['conditions'] : [];
    for (const condition of conditions) {
      if (Array.isArray(condition)) {
        const [operator, first, second] = condition;
        if (operator === 'content-length-range') maxBytes = Number(second);
        else if (operator === 'eq') names.push(String(first).replace(/^\$/, '').toLowerCase());
      } else if (isObject(condition)) names.push(...Object.keys(condition).map((name) => name.toLowerCase()));
    }
  } catch {
    // Of a policy that is none nothing is known, and the findings say so.
  }
  const hasEnd = signedAtMillis !== undefined && !Number.isNaN(expiresAtMillis);
  return {
    names,
    signedAtMillis,
    lifetimeMillis: hasEnd ? expiresAtMillis - signedAtMillis : undefined,
    maxBytes,
  };
}

/** Reads `20261121T223559Z`. */
function dateOf(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!parts) return undefined;
  const [year = 0, month = 0, day, hour, minute, second] = parts.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
