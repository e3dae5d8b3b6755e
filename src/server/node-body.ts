/** Bodies of Node's requests. Nothing is imported from Node: these are the parts of its objects that are used. */

/** What is used of a Node readable stream, which every request is. */
export interface NodeReadable {
  /** Whether anybody has read from it. */
  readableDidRead?: boolean;
  /** Whether all of it has arrived. */
  complete?: boolean;
  destroyed?: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: Node's own listeners have other parameters for each event.
  on(event: string, listener: (...args: any[]) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
}

/** Of a body that nobody wants, this much is still taken, so that the client reads the answer. */
const DISCARDED_BYTES = 1_048_576;
const DISCARD_MILLIS = 5_000;

/** A request's body, no faster than it is read. Errors when the client hangs up. */
export function bodyStream(req: NodeReadable): ReadableStream<Uint8Array> {
  let isOpen = true;
  const end = (act: () => void): void => {
    if (isOpen) act();
    isOpen = false;
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      req.on('data', (chunk: Uint8Array) => {
        if (!isOpen) return;
        controller.enqueue(new Uint8Array(chunk));
        req.pause();
      });
      req.on('end', () => end(() => controller.close()));
      for (const event of ['error', 'aborted', 'close']) {
        req.on(event, () => end(() => controller.error(new Error('the client hung up'))));
      }
      // A listener for `data` has set it going.
      req.pause();
    },
    pull: () => void req.resume(),
    cancel: () => {
      isOpen = false;
    },
  });
}

/**
 * Takes what is left of a body and throws it away. Past a bound the connection is ended: a client that goes on after
 * its answer would keep it busy for ever.
 */
export function discard(req: NodeReadable): void {
  if (req.destroyed) return;
  if (!req.complete) {
    let left = DISCARDED_BYTES;
    const timer = setTimeout(() => req.destroy(), DISCARD_MILLIS);
    req.on('data', ({ length }: Uint8Array) => {
      left -= length;
      if (left < 0) req.destroy();
    });
    for (const event of ['end', 'close']) req.on(event, () => clearTimeout(timer));
  }
  req.resume();
}

/**
 * What middleware has made of a body that it has read: text and bytes as they are, an object as JSON again.
 *
 * @returns undefined when the bytes that came cannot be had any more.
 */
export function parsedBody(body: unknown, contentLength: string | undefined): BodyInit | undefined {
  if (body instanceof Uint8Array) return new Uint8Array(body);
  if (typeof body === 'string') {
    // Gzip bytes read as text are not what they were.
    const length = contentLength === undefined ? undefined : Number(contentLength);
    const isWhole =
      length === undefined ? !body.includes('\ufffd') : new TextEncoder().encode(body).length === length;
    return isWhole ? body : undefined;
  }
  return typeof body === 'object' && body !== null ? JSON.stringify(body) : undefined;
}
