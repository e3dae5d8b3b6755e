/**
 * Tells when a response's body has ended, and changes nothing of what the client receives.
 *
 * | body | what is done with it |
 * | --- | --- |
 * | none, upgrades, redirects, `HEAD`, network errors | returned as it is |
 * | all there: text, bytes, blobs, forms | returned as it is, since a stream has no `Content-Length` |
 * | with a `Content-Encoding`, used, locked, or not understood | returned as it is, unobserved |
 * | a stream fed by JavaScript | read when it is read, chunk by chunk; in workerd piped |
 * | workerd's from another server | piped by workerd, without JavaScript |
 * | unknown, as in Node | read ahead as long as nothing has to be waited for: if it ends, it was all there |
 */
import { type Body, bodyOf } from './body-kind.js';
import { type BodyEnd, carry, type End, pipe, pump, type Transform } from './body-streams.js';

/** Read ahead at most, but for a single chunk. */
const MAX_AHEAD_BYTES = 64 * 1024;
/** Turns of the microtask queue that a read of what is all there may take: of a text 1 to 3 in Node, of a form 6. */
const AT_ONCE_TURNS = 16;

/** `IdentityTransformStream` and `FixedLengthStream` are workerd's alone. */
const world = globalThis as unknown as {
  readonly IdentityTransformStream: new () => Transform;
  readonly FixedLengthStream: new (length: number | bigint) => Transform;
};

/**
 * The response to give to the runtime in place of `response`, which is not to be used any more.
 *
 * @param done is called once: when the body has ended, with an error if it ended before its time; at once, before this
 *   returns, where there is nothing to wait for. In Workers it needs `waitUntil` to live that long: the invocation of a
 *   client that has gone is forgotten otherwise. What it throws is swallowed.
 * @param isHead the request's method was HEAD.
 * @returns a promise only for bodies of unknown making; it does not wait for anything but microtasks. Never throws, never
 *   rejects.
 */
export function watchBody(
  response: Response,
  done: (error: unknown, end: BodyEnd) => void,
  isHead = false,
): Response | Promise<Response> {
  const end = once(done);
  try {
    const body: Body = isHead || !isContent(response.status) ? { kind: 'whole' } : bodyOf(response);
    if (body.kind !== 'whole') {
      // What `fetch` has decoded the runtime encodes again, or sends as it came, only as long as it is untouched.
      const isMine = body.kind !== 'sealed' && !response.headers.has('content-encoding');
      const source = isMine && !response.bodyUsed ? response.body : undefined;
      if (source && !source.locked) return watched(response, source, body, end);
      if (source !== null) end('unobserved');
    }
    end('whole');
  } catch {
    end('unobserved');
  }
  return response;
}

function watched(
  response: Response,
  source: ReadableStream<Uint8Array>,
  { kind, length }: Body,
  end: End,
): Response | Promise<Response> {
  if (kind === 'unknown') return readAhead(response, source, source.getReader(), end);
  if (kind === 'script' && !world.IdentityTransformStream) {
    return new Response(pump(source, end, declaredBytes(response)), response);
  }
  // Whatever throws does so before the response is given up.
  const reader = kind === 'native' ? source.getReader({ mode: 'byob' }) : undefined;
  const through =
    length === undefined ? new world.IdentityTransformStream() : new world.FixedLengthStream(length);
  const passed = new Response(through.readable, response);
  if (reader) void carry(reader, through, end);
  else pipe(source, through, end, kind === 'network' ? 'cut' : 'failed');
  return passed;
}

/** A body that was all there is given as bytes again; others go on from where they have been read. */
async function readAhead(
  response: Response,
  source: ReadableStream<Uint8Array>,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  end: End,
): Promise<Response> {
  const ahead: Uint8Array[] = [];
  let bytes = 0;
  let next = reader.read();
  let result = await atOnce(next);
  while (result && !result.done) {
    // Not bytes: the runtime will say what it thinks of them.
    const { value } = result;
    ahead.push(value);
    bytes += value?.byteLength ?? Number.POSITIVE_INFINITY;
    next = reader.read();
    result = bytes > MAX_AHEAD_BYTES && ahead.length > 1 ? undefined : await atOnce(next);
  }
  if (!result?.done || !Number.isFinite(bytes)) {
    const stream = pump(source, end, declaredBytes(response), { reader, chunks: ahead, next });
    return new Response(stream, response);
  }
  end('whole');
  return new Response(joined(ahead, bytes), response);
}

/** What a promise comes to if that needs nothing but microtasks; else, and for rejections, undefined. */
async function atOnce<T>(promise: Promise<T>): Promise<T | undefined> {
  let settled: T | undefined;
  let isOver = false;
  const over = (value?: T): void => {
    settled = value;
    isOver = true;
  };
  promise.then(over, () => over());
  for (let turn = 0; turn < AT_ONCE_TURNS && !isOver; turn++) await undefined;
  return settled;
}

const declaredBytes = ({ headers }: Response): number =>
  Number(headers.get('content-length') ?? Number.POSITIVE_INFINITY);

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const [first] = chunks;
  if (chunks.length === 1 && first) return first as Uint8Array<ArrayBuffer>;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** Upgrades, redirects and network errors are passed on whatever they hold. */
const isContent = (status: number): boolean => status >= 200 && (status < 300 || status >= 400);

function once(done: (error: unknown, end: BodyEnd) => void): End {
  let isOver = false;
  return (end, error) => {
    if (isOver) return;
    isOver = true;
    try {
      done(error, end);
    } catch {
      // Nothing of ours may break the host's body.
    }
  };
}
