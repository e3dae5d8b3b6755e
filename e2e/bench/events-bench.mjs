// Spans from events, beside the same spans by the SDK's tracer.
import { fileURLToPath } from 'node:url';
import { measureEvents } from './events-measure.mjs';
import { inChromium } from './in-chromium.mjs';

export async function bench() {
  const file = fileURLToPath(new URL('events-measure.mjs', import.meta.url));
  const { name, results } = await inChromium(file, { measureEvents: [61] });
  return { 'events, Node': measureEvents(61), [`events, ${name}`]: results.measureEvents };
}
