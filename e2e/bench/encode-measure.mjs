// What the encode bench measures, the same in Node and in a page. Peers run in turns inside each round, so that
// a busy machine slows all of them alike.
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { createCompressor, gzipNow } from '../../.cache/esm/pipeline/compress.js';
import { toUtf8 } from '../../.cache/esm/pipeline/compress-gzip.js';
import { createEncoder } from '../../.cache/esm/pipeline/encode.js';
import { newBlob } from '../../.cache/esm/pipeline/model.js';
import { addSpan, bodyOf } from '../../.cache/esm/pipeline/pack.js';
import { browserSpans } from './browser-spans.mjs';

/** Encodes and packs spans as a page does. @returns the OTLP/JSON text. */
export function createPacker() {
  const encode = createEncoder({ redaction: true, redact: undefined, clockOffsetMillis: () => 0 });
  return (spans) => {
    const blob = newBlob('', '');
    const part = { texts: [], traces: [] };
    for (const span of spans) {
      const encoded = encode(span);
      if (typeof encoded === 'string') fail(encoded);
      addSpan(blob, part, encoded);
    }
    return bodyOf([part]);
  };
}

/** Spans to OTLP/JSON bytes: ours (encode, pack, UTF-8) beside JsonTraceSerializer. Median ms of `rounds`. */
export async function measureEncoding(counts) {
  const pack = createPacker();
  const rows = [];
  for (const count of counts) {
    const spans = browserSpans(count);
    const ours = () => toUtf8(pack(spans));
    const theirs = () => JsonTraceSerializer.serializeRequest(spans);
    const [ourMillis, theirMillis] = await medians([ours, theirs], rounds(count), Math.ceil(1_000 / count));
    rows.push({
      spans: count,
      'spandrel ms': ourMillis,
      'JsonTraceSerializer ms': theirMillis,
      'times faster': theirMillis / ourMillis,
      'spandrel B/span': Math.round(ours().length / count),
      'theirs B/span': Math.round(theirs().length / count),
    });
  }
  return rows;
}

/** Where CompressionStream overtakes fflate. Our own compressor takes the stream from 16 KiB on. */
export async function measureCompression(kibibytes) {
  const all = createPacker()(browserSpans(800));
  const rows = [];
  for (const kibibyte of kibibytes) {
    const json = all.slice(0, kibibyte * 1024);
    const stream = () => throughStream(json);
    const sync = () => gzipNow(json).bytes;
    const checked = () => createCompressor({ CompressionStream, onCorrupt: fail })(json);
    const [streamMillis, syncMillis, checkedMillis] = await medians([stream, sync, checked], 41, 4);
    rows.push({
      KiB: kibibyte,
      'CompressionStream ms': streamMillis,
      'fflate ms': syncMillis,
      'createCompressor ms': checkedMillis,
      'CompressionStream B': (await stream()).length,
      'fflate B': sync().length,
    });
  }
  return rows;
}

async function throughStream(json) {
  const stream = new CompressionStream('gzip');
  const writer = stream.writable.getWriter();
  const [buffer] = await Promise.all([
    new Response(stream.readable).arrayBuffer(),
    writer.write(toUtf8(json)),
    writer.close(),
  ]);
  return new Uint8Array(buffer);
}

/** Median milliseconds of each; `repeats` runs are timed together, because browser clocks are coarse. */
export async function medians(tasks, roundCount, repeats) {
  const samples = tasks.map(() => []);
  for (let round = 0; round < roundCount + 5; round++) {
    for (const [index, task] of tasks.entries()) {
      const start = performance.now();
      for (let repeat = 0; repeat < repeats; repeat++) {
        const result = task();
        if (result instanceof Promise) await result;
      }
      // The first rounds warm the engine up.
      if (round >= 5) samples[index].push((performance.now() - start) / repeats);
    }
  }
  return samples.map((values) => values.sort((a, b) => a - b)[values.length >> 1]);
}

export function rounds(count) {
  return Math.max(15, Math.min(61, Math.round(60_000 / count)));
}

function fail(reason) {
  throw new Error(`the bench's own input was refused: ${reason}`);
}
