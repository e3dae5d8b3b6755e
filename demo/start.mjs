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
  const host = await start(PORT).catch(onFree);
  // On SIGINT, SIGTERM and every exit Miniflare takes its workerd along. A terminal that is closed would leave it.
  process.once('SIGHUP', () => process.exit(129));
  console.log(`
  Spandrel, the demo

    Shop      ${host.origin}/          click around in it
    Traces    ${host.origin}/viewer/   and see them arrive

    Worker    demo/worker/worker.mjs         serves the shop, its API and the endpoint, in workerd,
                                             and its spans are in the traces of the page
    Bucket    ${host.mock.bucketUrl}
    Endpoint  ${host.origin}${host.mock.mountPath}

  Ctrl+C ends it.
`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
