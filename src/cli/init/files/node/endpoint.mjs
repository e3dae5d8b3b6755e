// The endpoint for the traces of your pages, and a page to try it with: node --env-file=.env endpoint.mjs
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createIngest, nodeListener, s3 } from 'spandrel/server';

const { env } = process;
const ingest = createIngest({
  storage: s3({
    endpoint: env.SPANDREL_S3_ENDPOINT,
    bucket: env.SPANDREL_BUCKET,
    region: env.AWS_REGION,
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
  }),
  // Pages of the endpoint's own origin may always.
  allowedOrigins: (env.SPANDREL_ORIGINS ?? '').split(',').filter(Boolean),
});

/** The page, and the script that its tag names. */
const files = new Map([
  ['/', { type: 'text/html; charset=utf-8', url: new URL('page.html', import.meta.url) }],
  [
    '/spandrel.js',
    { type: 'text/javascript', url: new URL(import.meta.resolve('spandrel/spandrel.whole.js')) },
  ],
]);

/** @param {Request} request */
async function handle(request) {
  const { pathname } = new URL(request.url);
  if (pathname === '/spandrel') return ingest(request);
  const file = files.get(pathname);
  if (!file) return new Response('Not found', { status: 404 });
  return new Response(await readFile(file.url), { headers: { 'content-type': file.type } });
}

// Behind a proxy that ends TLS: nodeListener(handle, { trustProxy: true })
const port = Number(env.PORT ?? 8787);
createServer(nodeListener(handle)).listen(port, () => console.log(`http://localhost:${port}`));
