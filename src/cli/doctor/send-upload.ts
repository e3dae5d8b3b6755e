import type { Upload } from './untrusted-answer.js';

export interface Sent {
  body: Uint8Array<ArrayBuffer>;
  /** In the place of the upload's own. */
  contentType?: string;
}

/** The request that an upload describes, as the SDK makes it: the bytes, or a form of the fields and the bytes. */
export async function bodyOf(
  { method, headers, fields = {} }: Upload,
  { body, contentType }: Sent,
): Promise<{ headers: Record<string, string>; body: Uint8Array<ArrayBuffer> }> {
  if (method === 'PUT') {
    const own = Object.fromEntries(new Headers(headers));
    return { headers: { ...own, ...(contentType && { 'content-type': contentType }) }, body };
  }
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    form.append(name, name.toLowerCase() === 'content-type' ? (contentType ?? value) : value);
  }
  // What comes after the file is not read.
  form.append('file', new Blob([body], { type: 'application/octet-stream' }), 'blob');
  const encoded = new Response(form);
  return {
    headers: { ...headers, 'content-type': encoded.headers.get('content-type') ?? '' },
    body: new Uint8Array(await encoded.arrayBuffer()),
  };
}
