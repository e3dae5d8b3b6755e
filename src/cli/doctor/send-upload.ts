import { randomBytes } from 'node:crypto';
import type { Upload } from './untrusted-answer.js';

export interface Sent {
  body: Uint8Array<ArrayBuffer>;
  /** In the place of the upload's own. */
  contentType?: string;
}

/** The request that an upload describes, as the SDK makes it: the bytes, or a form of the fields and the bytes. */
export function bodyOf(
  { method, headers, fields = {} }: Upload,
  { body, contentType }: Sent,
): { headers: Record<string, string>; body: Uint8Array<ArrayBuffer> } {
  if (method === 'PUT') {
    const own = Object.entries(headers).filter(
      ([name]) => !contentType || name.toLowerCase() !== 'content-type',
    );
    return {
      headers: { ...Object.fromEntries(own), ...(contentType ? { 'content-type': contentType } : {}) },
      body,
    };
  }
  const boundary = `spandrel-${randomBytes(12).toString('hex')}`;
  const part = (name: string, more = ''): string =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${name.replace(/["\r\n]/g, '_')}"${more}\r\n\r\n`;
  const texts = Object.entries(fields).map(([name, value]) => {
    const isType = contentType !== undefined && name.toLowerCase() === 'content-type';
    return `${part(name)}${isType ? contentType : value}\r\n`;
  });
  const form = Buffer.concat([
    Buffer.from(texts.join('') + part('file', '; filename="blob"\r\ncontent-type: application/octet-stream')),
    body,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return {
    headers: { ...headers, 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: new Uint8Array(form),
  };
}
