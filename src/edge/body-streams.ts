/** Three ways to pass a body on and know its end. All keep back-pressure, and give each chunk on at once. */

/**
 * - `whole`: sent to its end, or all there from the start.
 * - `cancelled`: its consumer wanted no more of it: the client is gone. The error is the consumer's reason.
 * - `failed`: its source failed. The error is the source's, and the consumer got it too.
 * - `cut`: of two connections one broke, and workerd does not tell which: a proxied body whose client or origin is gone.
 * - `unobserved`: not looked at; it may go on.
 */
export type BodyEnd = 'whole' | 'cancelled' | 'failed' | 'cut' | 'unobserved';

export type End = (end: BodyEnd, error?: unknown) => void;
type Bytes = ReadableStream<Uint8Array>;
type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** One of workerd's own, whose bytes need no JavaScript. */
export interface Transform {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array>;
}

/** Of workerd's own streams read by JavaScript: by default it gives 4 KiB at a time, which takes six times as long. */
const READ_BYTES = 64 * 1024;

/** What has been read of a body already. */
export interface ReadAhead {
  readonly reader: Reader;
  readonly chunks: readonly Uint8Array[];
  readonly next: ReturnType<Reader['read']>;
}

/**
 * Reads when it is read.
 *
 * @param source is locked when first read.
 * @param declaredBytes its `Content-Length`: some runtimes do not read on to the end, but cancel after so many.
 */
export function pump(
  source: Bytes,
  end: End,
  declaredBytes: number,
  ahead?: ReadAhead,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunks = ahead?.chunks.values();
  let reader = ahead?.reader;
  let pending = ahead?.next;
  let bytes = 0;
  // It may be cancelled before anybody asks for it.
  pending?.catch(() => {});
  let isCancelled = false;
  return new ReadableStream(
    {
      async pull(controller) {
        const give = (chunk: Uint8Array): void => {
          bytes += chunk?.byteLength;
          controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
        };
        const before = chunks?.next();
        if (before && !before.done) return give(before.value);
        try {
          reader ??= source.getReader();
          const reading = pending ?? reader.read();
          pending = undefined;
          const { done, value } = await reading;
          if (isCancelled) return;
          if (!done) return give(value);
          controller.close();
          end('whole');
        } catch (error) {
          if (isCancelled) return;
          controller.error(error);
          end('failed', error);
        }
      },
      cancel(reason) {
        isCancelled = true;
        if (bytes >= declaredBytes) end('whole');
        else end('cancelled', reason);
        return (reader ?? source).cancel(reason);
      },
    },
    // Nothing is asked of the source before somebody asks for it.
    { highWaterMark: 0 },
  );
}

/**
 * By workerd itself. An error of the destination cancels the source, and one of the source goes to the destination.
 *
 * @param failure what it is called if the source broke; that of `fetch` also breaks when the client has gone.
 */
export function pipe(source: Bytes, { writable }: Transform, end: End, failure: BodyEnd): void {
  source.pipeTo(writable).then(
    () => end('whole'),
    async (error) => {
      try {
        await source.getReader().closed;
        end('cancelled', error);
      } catch {
        end(failure, error);
      }
    },
  );
}

/** For workerd's streams that it cannot pipe. Never rejects. */
export async function carry(
  reader: ReadableStreamBYOBReader,
  { writable }: Transform,
  end: End,
): Promise<void> {
  const writer = writable.getWriter();
  let buffer = new ArrayBuffer(READ_BYTES);
  let isWriting = false;
  try {
    for (;;) {
      isWriting = false;
      const { done, value } = await reader.read(new Uint8Array(buffer));
      isWriting = true;
      if (done) break;
      await writer.write(value);
      buffer = value.buffer;
    }
    await writer.close();
    end('whole');
  } catch (error) {
    (isWriting ? reader.cancel(error) : writer.abort(error)).catch(() => {});
    end(isWriting ? 'cancelled' : 'failed', error);
  }
}
