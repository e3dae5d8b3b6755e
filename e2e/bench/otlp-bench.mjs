// Protobuf against JSON for `otlp()`: bytes on the wire and what they cost, in Node and in Chromium.
import { fileURLToPath } from 'node:url';
import { inChromium } from './in-chromium.mjs';
import { measureOtlp } from './otlp-measure.mjs';

const SPAN_COUNTS = [10, 100, 1_000];

export async function bench() {
  const file = fileURLToPath(new URL('otlp-measure.mjs', import.meta.url));
  const { name, results } = await inChromium(file, { measureOtlp: [SPAN_COUNTS] });
  return { 'OTLP, Node': await measureOtlp(SPAN_COUNTS), [`OTLP, ${name}`]: results.measureOtlp };
}
