// A Hono app with the endpoint for the traces of your pages, and a page to try it with: node --env-file=.env server.mjs
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Hono } from 'hono';
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

const page = await readFile(new URL('page.html', import.meta.url), 'utf8');
const script = await readFile(new URL(import.meta.resolve('spandrel/spandrel.whole.js')), 'utf8');

const app = new Hono();
// In front of what reads bodies.
app.all('/spandrel', (context) => ingest(context.req.raw));
app.get('/spandrel.js', (context) => context.body(script, 200, { 'content-type': 'text/javascript' }));
app.get('/', (context) => context.html(page));

// Behind a proxy that ends TLS: nodeListener(app.fetch, { trustProxy: true })
const port = Number(env.PORT ?? 8787);
createServer(nodeListener(app.fetch)).listen(port, () => console.log(`http://localhost:${port}`));
