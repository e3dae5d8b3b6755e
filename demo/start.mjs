// `npm start`: the demo, until Ctrl+C.
import { startHost } from './host.mjs';

const PORT = 4173;

/**
 * As strict as the product claims to work with: scripts of its own origin only, and the bucket in `connect-src`.
 *
 * @param {import('./mock-r2/mock-r2.mjs').MockR2} mock
 */
const policy = ({ bucketOrigin }) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${bucketOrigin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** @param {number} port */
const start = (port) => startHost({ port, worker: true, csp: policy });

/** @param {any} error */
function onFree(error) {
  if (error.code !== 'EADDRINUSE') throw error;
  console.log(`Port ${PORT} is taken, so a free one is used.`);
  return start(0);
}

try {
  console.log('Starting the Worker and the bucket …');
  const host = await start(PORT).catch(onFree);
  // On SIGINT, SIGTERM and every exit Miniflare takes its workerd along. A terminal that is closed would leave it.
  process.once('SIGHUP', () => process.exit(129));
  console.log(`
  Spandrel, the demo

    Shop      ${host.origin}/          agree, open a thing, and add it to the cart
    Traces    ${host.origin}/viewer/   "click Add to cart" goes from the page to the Worker and back

    Worker    demo/worker/worker.mjs, in workerd: the shop's pages, its API and the endpoint
    Bucket    ${host.mock.bucketUrl}
    Endpoint  ${host.origin}${host.mock.mountPath}

  Ctrl+C ends it.
`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
