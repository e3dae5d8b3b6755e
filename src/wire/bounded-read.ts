/**
 * Reads a stream to its end, and no further than `maxBytes`: then it is cancelled. Lengths that were announced
 * are not looked at.
 *
 * @param abort cancels the stream as well.
 * @returns undefined when there is more. Rejects when the stream fails or is aborted.
 */
export async function readBounded(
  stream: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  abort?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream?.getReader();
  // The sender may fail in its turn; we have our answer already.
  const cancel = async (): Promise<void> => reader?.cancel().catch(() => undefined);
  abort?.addEventListener('abort', cancel, { once: true });
  while (reader) {
    const { done, value } = await reader.read();
    // A read that was under way is told that the stream has ended.
    abort?.throwIfAborted();
    if (done) break;
    length += value.byteLength;
    if (length > maxBytes) {
      await cancel();
      return undefined;
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
