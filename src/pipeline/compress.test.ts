import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createCompressor, gzipNow } from './compress.js';
import { gunzipNow } from './compress-fflate.js';
import type { GzipResult } from './compress-gzip.js';

const SMALL = '{"name":"ümlaut 漢字 \u{1f600}"}';
const LARGE = JSON.stringify(Array.from({ length: 3_000 }, (_, index) => ({ index, name: SMALL })));

/** The platform's stream, whose bytes pass through `change` on their way out. */
function streamWith(
  change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
): typeof CompressionStream {
  return class {
    readonly writable: WritableStream;
    readonly readable: ReadableStream;
    constructor(format: CompressionFormat) {
      const inner = new CompressionStream(format);
      this.writable = inner.writable;
      const whole = new Response(inner.readable).arrayBuffer();
      this.readable = new ReadableStream({
        async start(controller) {
          controller.enqueue(change(new Uint8Array(await whole)));
          controller.close();
        },
      });
    }
  } as unknown as typeof CompressionStream;
}

function setUp(Stream?: typeof CompressionStream) {
  const seen = { corrupt: 0, streams: 0 };
  const counted = Stream && countedStream(Stream, seen);
  const compress = createCompressor({ CompressionStream: counted, onCorrupt: () => seen.corrupt++ });
  return { compress, seen };
}

function countedStream(
  Stream: typeof CompressionStream,
  seen: { streams: number },
): typeof CompressionStream {
  return new Proxy(Stream, {
    construct(target, args: [CompressionFormat]) {
      seen.streams++;
      return new target(...args);
    },
  });
}

async function assertOpens({ bytes, rawBytes }: GzipResult, text: string) {
  assert.equal(gunzipSync(bytes).toString(), text);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  assert.equal(await new Response(stream).text(), text);
  assert.equal(rawBytes, Buffer.byteLength(text));
}

test('compress: gzipNow gives one gzip member that zlib and DecompressionStream open', async () => {
  for (const text of ['', SMALL, LARGE]) await assertOpens(gzipNow(text), text);
});

test('compress: the same text gives the same bytes, with no clock in them', () => {
  const { bytes } = gzipNow(SMALL);
  assert.deepEqual(bytes.slice(4, 8), new Uint8Array(4));
});

test('compress: lone surrogates become U+FFFD', () => {
  assert.equal(gunzipSync(gzipNow('"\ud800"').bytes).toString(), '"\ufffd"');
});

test('compress: a page that lives uses the stream', async () => {
  const { compress, seen } = setUp(CompressionStream);
  for (const text of ['', SMALL, LARGE]) await assertOpens(await compress(text), text);
  assert.deepEqual(seen, { corrupt: 0, streams: 3 });
});

test('compress: works where there is no stream', async () => {
  const { compress, seen } = setUp();
  await assertOpens(await compress(LARGE), LARGE);
  assert.deepEqual(seen, { corrupt: 0, streams: 0 });
});

function flipped(bytes: Uint8Array<ArrayBuffer>, index: number) {
  const copy = bytes.slice();
  copy[index] = (copy[index] as number) ^ 1;
  return copy;
}

for (const [name, change] of [
  ['is empty', () => new Uint8Array()],
  ['has no gzip magic', (bytes) => flipped(bytes, 0)],
  ['is cut off', (bytes) => bytes.subarray(0, bytes.length >> 1)],
  ['lacks its last byte', (bytes) => bytes.subarray(0, -1)],
  ['has another CRC-32', (bytes) => flipped(bytes, bytes.length - 8)],
  ['has another length', (bytes) => flipped(bytes, bytes.length - 4)],
  [
    'fails',
    () => {
      throw new Error('planted');
    },
  ],
] satisfies [string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>][]) {
  test(`compress: output that ${name} is made anew, and told`, async () => {
    const { compress, seen } = setUp(streamWith(change));
    await assertOpens(await compress(LARGE), LARGE);
    assert.deepEqual(seen, { corrupt: 1, streams: 1 });
  });
}

test('compress: a stream whose writing fails is no unhandled rejection', async () => {
  class Failing {
    readonly readable = new ReadableStream();
    readonly writable = new WritableStream({
      write() {
        throw new Error('planted');
      },
    });
  }
  const { compress, seen } = setUp(Failing as unknown as typeof CompressionStream);
  await assertOpens(await compress(LARGE), LARGE);
  assert.equal(seen.corrupt, 1);
});

test('compress: a stream that cannot be made', async () => {
  class Missing {
    constructor() {
      throw new TypeError('planted');
    }
  }
  const { compress, seen } = setUp(Missing as unknown as typeof CompressionStream);
  await assertOpens(await compress(LARGE), LARGE);
  assert.equal(seen.corrupt, 1);
});

test('compress: gunzipNow inflates what gzipNow, a stream and zlib made', async () => {
  const raw = new TextEncoder().encode(LARGE);
  const { compress } = setUp(CompressionStream);
  for (const { bytes } of [gzipNow(LARGE), await compress(LARGE), { bytes: new Uint8Array(gzipSync(raw)) }]) {
    assert.deepEqual(gunzipNow(bytes, raw.length), raw);
    // A view into more, as a structured clone may be.
    const wide = new Uint8Array(bytes.length + 20);
    wide.set(bytes, 7);
    assert.deepEqual(gunzipNow(wide.subarray(7, 7 + bytes.length), raw.length), raw);
  }
});

for (const [name, damage] of [
  ['cut off', (bytes) => [bytes.slice(0, -30)]],
  ['flipped midway', (bytes) => [flipped(bytes, bytes.length >> 1)]],
  ['of another length than is said', (bytes, rawBytes) => [bytes, rawBytes - 1]],
  ['empty', () => [new Uint8Array(0)]],
  ['no gzip', () => [new Uint8Array(100)]],
  ['said to be huge', (bytes) => [bytes, 2 ** 31]],
  [
    'a bomb whose trailer lies',
    () => {
      const bytes = new Uint8Array(gzipSync(new Uint8Array(50_000_000)));
      new DataView(bytes.buffer).setUint32(bytes.length - 4, 100, true);
      return [bytes, 100];
    },
  ],
] satisfies [
  string,
  (bytes: Uint8Array<ArrayBuffer>, rawBytes: number) => [Uint8Array<ArrayBuffer>, number?],
][]) {
  test(`compress: gunzipNow throws when the bytes are ${name}`, () => {
    const { bytes, rawBytes } = gzipNow(LARGE);
    const [damaged, said = rawBytes] = damage(bytes, rawBytes);
    assert.throws(() => gunzipNow(damaged, said));
  });
}
