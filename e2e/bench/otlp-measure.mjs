// What the OTLP bench measures, the same in Node and in a page.
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { protobuf } from '../../.cache/esm/otlp.js';
import { gzipBytes, gzipNow } from '../../.cache/esm/pipeline/compress-fflate.js';
import { browserSpans } from './browser-spans.mjs';
import { createPacker, medians, rounds } from './encode-measure.mjs';

/**
 * Bytes of the request, and milliseconds: from spans to the blob, which is what JSON sends; from the blob to protobuf,
 * which comes on top, and the longest of its steps, between which a page does other work; and what the official
 * serializer with the same gzip takes from spans to protobuf.
 */
export async function measureOtlp(counts) {
  const pack = createPacker();
  const format = protobuf(ProtobufTraceSerializer);
  const rows = [];
  for (const count of counts) {
    const spans = browserSpans(count);
    const seal = () => gzipNow(pack(spans));
    const blob = seal();
    const steps = [];
    const convert = () => {
      const walk = format.bodyOf(blob);
      for (let step = 0; ; step++) {
        const start = performance.now();
        const { done, value } = walk.next();
        steps[step] ??= [];
        steps[step].push(performance.now() - start);
        if (done) return value;
      }
    };
    const official = () => ProtobufTraceSerializer.serializeRequest(spans);
    const officialGzip = () => gzipBytes(official());
    const [sealMillis, convertMillis, officialMillis] = await medians(
      [seal, convert, officialGzip],
      rounds(count),
      Math.ceil(200 / count),
    );
    rows.push({
      spans: count,
      'JSON B': blob.rawBytes,
      'protobuf B': official().length,
      'JSON gzip B': blob.bytes.length,
      'protobuf gzip B': convert().bytes.length,
      'official gzip B': officialGzip().bytes.length,
      'spans to JSON gzip ms': sealMillis,
      'then to protobuf gzip ms': convertMillis,
      'its longest step ms': Math.max(...steps.map(median)),
      'official ms': officialMillis,
    });
  }
  return rows;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
