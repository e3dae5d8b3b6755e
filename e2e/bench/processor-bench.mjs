// Stage 1 and the whole pipeline's main-thread time, beside OpenTelemetry's BatchSpanProcessor.
import { fileURLToPath } from 'node:url';
import { inChromium } from './in-chromium.mjs';
import { measureOnEnd } from './processor-measure.mjs';

export async function bench() {
  const file = fileURLToPath(new URL('processor-measure.mjs', import.meta.url));
  const { name, results } = await inChromium(file, { measureOnEnd: [11], measureBurst: [5_000] });
  return {
    'onEnd, Node': await measureOnEnd(41),
    [`onEnd, ${name}`]: results.measureOnEnd,
    [`burst of 5,000 spans, ${name}`]: results.measureBurst,
  };
}
