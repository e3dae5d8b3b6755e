// `npm run soak [-- options]`: one page for ten minutes in Chromium, with faults of endpoint, bucket and network, with tabs
// that come and go, with freezes and a reload. What is in the bucket is read by Node's zlib and JSON.parse.
//
//   --minutes 10   how long
//   --seed 1       which troubles, in which order
//   --ci           one minute, in which growth is not judged
//
// Fails when a span is stored twice, is missing in the end, or was never emitted; when the ledger of `stats()` is uneven at
// any sample; when the heap after collection grows by more than 0.1 MB a minute in the second half.
import { parseArgs } from 'node:util';
import { ensureBrowsers } from '../support/browsers.mjs';
import { heapSlope } from './measure.mjs';
import { soak } from './play.mjs';

const MAX_MB_PER_MINUTE = 0.1;

/** @param {string} name @param {string} text */
function number(name, text) {
  const value = Number(text);
  if (!(value > 0)) throw new TypeError(`--${name} takes a number above 0, got ${text}`);
  return value;
}

async function main() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string', default: '1' },
      ci: { type: 'boolean', default: false },
    },
  });
  const minutes = number('minutes', values.minutes ?? (values.ci ? '1' : '10'));
  ensureBrowsers();
  const { samples, emitted, missing, deliveredMillis } = await soak({
    minutes,
    seed: number('seed', values.seed),
    onSample: ({ atMillis, heapBytes, listeners, databaseBytes, storedSpans, spans }) =>
      console.error(
        `${Math.round(atMillis / 1_000)} s: heap ${(heapBytes / 1e6).toFixed(2)} MB, ${listeners} listeners, ` +
          `database ${Math.round(databaseBytes / 1_000)} kB, ${storedSpans} stored, ${spans.waiting} waiting`,
      ),
  });
  const last = samples.at(-1);
  const slope = heapSlope(samples);
  const uneven = samples.filter(({ unevenSpans }) => unevenSpans !== 0);
  const lost = Object.entries(last?.spans['dropped'] ?? {});
  console.log(
    `${emitted} spans, all in the bucket ${(deliveredMillis / 1_000).toFixed(1)} s after the last trouble`,
  );
  console.log(`heap in the second half: ${slope.toFixed(3)} MB a minute`);
  const complaints = [
    ...(missing.length ? [`missing: ${missing.length}: ${missing.slice(0, 5).join(', ')}`] : []),
    ...(last?.duplicateSpans ? [`stored twice: ${last.duplicateSpans} spans`] : []),
    ...(last?.duplicateObjects ? [`stored twice: ${last.duplicateObjects} objects`] : []),
    ...(last?.unexpected ? [`spans that nobody emitted: ${last.unexpected}`] : []),
    ...uneven.map(
      ({ atMillis, spans }) => `the ledger is uneven at ${atMillis} ms: ${JSON.stringify(spans)}`,
    ),
    ...(lost.length ? [`dropped: ${JSON.stringify(lost)}`] : []),
    ...(!values.ci && slope > MAX_MB_PER_MINUTE ? [`the heap grows: ${slope.toFixed(3)} MB a minute`] : []),
  ];
  for (const complaint of complaints) console.log(`NOT as expected: ${complaint}`);
  process.exitCode = complaints.length ? 1 : 0;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof TypeError ? error.message : error);
  process.exitCode = 1;
}
process.exit();
