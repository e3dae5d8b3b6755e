/** Reading answers that may be hostile. */
import type { HttpAnswer } from './platform.js';

/** A hundred presigned uploads of 2 KB each; more is not an answer of ours. */
const MAX_BODY_BYTES = 256 * 1024;

/**
 * A response's body; beyond 256 KiB it is cut and cancelled.
 *
 * @throws what the body's stream throws.
 */
export async function readBytes(response: Response): Promise<Uint8Array> {
  const reader = response.body?.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
    if (length > MAX_BODY_BYTES) {
      await reader.cancel();
      break;
    }
  }
  const [first] = chunks;
  if (chunks.length === 1 && first) return first;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** For answers that are not text: the bytes of the body, and what it is said to be. */
export async function readAnswer(response: Response): Promise<Partial<HttpAnswer>> {
  const bytes = await readBytes(response);
  return { bytes, body: textOf(bytes), contentType: response.headers.get('content-type') ?? undefined };
}

/** As UTF-8. A character that was cut off at the end is left out. */
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes, { stream: true });
