// `forward` against a bare copy loop over 100,000 small objects: objects a second, CPU, and how far memory rises. The
// store is in memory and answers at once, once more with 1 % of reads failing; the backend is another process.
//
// A variant ends after BENCH_SECONDS, whatever is left then: a busy machine makes it short, and not endless.
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const OBJECTS = Number(process.env['BENCH_OBJECTS'] ?? 100_000);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 120);
const FAILING = ', 1 % of reads fail';
const VARIANTS = [
  ...['copy loop', 'forward', `copy loop${FAILING}`, `forward${FAILING}`],
  ...['forward, keep', 'forward, without a backend'],
];
const self = fileURLToPath(import.meta.url);

export async function bench() {
  const sink = fork(self, ['sink']);
  const port = await new Promise((resolve) => sink.once('message', resolve));
  const url = `http://127.0.0.1:${port}`;
  try {
    const rows = [];
    for (const variant of VARIANTS) {
      console.error(`${variant} …`);
      rows.push(await measure(variant, url));
    }
    const rateOf = (name) => rows.find(({ variant }) => variant === name)['objects/s'];
    return {
      [`forward, ${OBJECTS} objects of one trace, 1,000 a minute`]: rows.map((row) => ({
        ...row,
        'of the copy loop':
          row['objects/s'] / rateOf(row.variant.endsWith(FAILING) ? `copy loop${FAILING}` : 'copy loop'),
      })),
    };
  } finally {
    sink.kill();
  }
}

/** In a process of its own, so that peaks do not mix. */
function measure(variant, url) {
  const script = fileURLToPath(new URL('forward-measure.mjs', import.meta.url));
  const child = fork(script, [variant, url, String(OBJECTS), String(SECONDS)]);
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`${variant} ended with ${code} and no figures`)));
  });
}

if (process.argv[1] === self && process.argv[2] === 'sink') {
  const server = createServer((request, response) => {
    request
      .resume()
      .on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  server.listen(0, '127.0.0.1', () =>
    process.send(/** @type {import('node:net').AddressInfo} */ (server.address()).port),
  );
  process.on('disconnect', () => process.exit());
}
