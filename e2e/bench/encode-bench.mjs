// Stages 2 and 3 against JsonTraceSerializer and against each other, in Node and in Chromium.
import { fileURLToPath } from 'node:url';
import { measureCompression, measureEncoding } from './encode-measure.mjs';
import { inChromium } from './in-chromium.mjs';

const SPAN_COUNTS = [100, 1_000, 5_000];
const KIBIBYTES = [1, 4, 8, 16, 32, 64, 256];

export async function bench() {
  const file = fileURLToPath(new URL('encode-measure.mjs', import.meta.url));
  const { name, results } = await inChromium(file, {
    measureEncoding: [SPAN_COUNTS],
    measureCompression: [KIBIBYTES],
  });
  return {
    'encode, Node': await measureEncoding(SPAN_COUNTS),
    [`encode, ${name}`]: results.measureEncoding,
    'compress, Node': await measureCompression(KIBIBYTES),
    [`compress, ${name}`]: results.measureCompression,
  };
}
