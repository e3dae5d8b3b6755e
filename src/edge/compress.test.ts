import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createCompressor, gzipNow } from './compress.js';

const unexpected = (): never => assert.fail('called corrupt');
const bodies = [0, 1, 65_534, 65_535, 65_536, 200_000].map((length) =>
  'x{"a":"é"}'.repeat(length / 10 + 1).slice(0, length),
);

for (const body of bodies) {
  test(`edge compress: ${body.length} characters, through the stream and without one`, async () => {
    const streamed = await createCompressor({ CompressionStream, onCorrupt: unexpected })(body);
    assert.equal(gunzipSync(streamed.bytes).toString(), body);
    assert.equal(streamed.rawBytes, Buffer.byteLength(body));
    assert.ok(body.length < 1_000 || streamed.bytes.length < body.length / 10);
    const stored = await createCompressor({ onCorrupt: unexpected })(body);
    assert.equal(gunzipSync(stored.bytes).toString(), body);
    assert.deepEqual(gzipNow(body), stored);
  });
}

test('edge compress: a stream that cuts its output off is told of, and nothing is lost', async () => {
  class Cut {
    readonly readable: ReadableStream;
    readonly writable: WritableStream;
    constructor() {
      const { readable, writable } = new CompressionStream('gzip');
      let passed = 0;
      const cut = new TransformStream({
        transform: (chunk: Uint8Array, out) =>
          out.enqueue(passed++ ? new Uint8Array() : chunk.subarray(0, 20)),
      });
      this.readable = readable.pipeThrough(cut);
      this.writable = writable;
    }
  }
  let corrupt = 0;
  const compress = createCompressor({ CompressionStream: Cut as never, onCorrupt: () => void corrupt++ });
  const body = 'span'.repeat(10_000);
  assert.equal(gunzipSync((await compress(body)).bytes).toString(), body);
  assert.equal(corrupt, 1);
});
