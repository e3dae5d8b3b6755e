import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { access } from 'node:fs/promises';
import { createBucket } from './bucket.mjs';
import { createControl } from './control.mjs';
import { createFaults } from './faults.mjs';
import { passOn } from './forward.mjs';
import { createGate } from './gate.mjs';
import { ingestEntry } from './ingest-entry.mjs';
import { listen, listenWithFaults } from './listen.mjs';
import { createReports } from './reports.mjs';
import { createRequestLog } from './request-log.mjs';
import { S3_PATH, startMiniflare } from './start-miniflare.mjs';
import { watchBucket } from './watch-bucket.mjs';

/**
 * @typedef {object} MockR2Options
 * @property {string[]} allowedOrigins Origins of the pages: for the bucket's CORS rule and for the endpoint.
 * @property {Partial<import('./gate.mjs').CorsSettings>} [cors] Default: {@link defaultRules} for `allowedOrigins`,
 *   and no CORS headers on errors, as with R2.
 * @property {Record<string, unknown>} [ingest] Options of `createIngest` that are JSON: `urlExpirySeconds`,
 *   `maxUploads`, `projects`, `prefix`, …; `config` is the value to answer, not a function.
 * @property {Record<string, unknown>} [storage] Further options of `s3`, such as `contentEncoding`.
 * @property {string} [mountPath] Path of the endpoint. Default `/spandrel`.
 * @property {number} [port] Of the bucket. Default 0, a free one; likewise `endpointPort`, `controlPort`.
 * @property {number} [endpointPort]
 * @property {number} [controlPort]
 * @property {import('./listen.mjs').Tls} [tls] Browsers' doors to the bucket and the endpoint speak HTTPS and HTTP/2. Default
 *   plain HTTP.
 * @property {string | URL} [serverFile] Default `dist/server.js`.
 * @property {(context: import('./ingest-entry.mjs').EntryContext) => Promise<import('./start-miniflare.mjs').WorkerOptions>} [worker]
 *   A Worker to hold the endpoint, and what else it likes. Default: one that holds the endpoint only, and reports.
 *
 * @typedef {Awaited<ReturnType<typeof startMockR2>>} MockR2
 */

const BUCKET = 'otlp';
const SERVER_FILE = new URL('../../dist/server.js', import.meta.url);

/**
 * The rule that src/server/README.md tells users to set: headers named one by one, since `*` has been unreliable on R2.
 *
 * @param {string[]} origins
 * @returns {import('./cors.mjs').CorsRule[]}
 */
export const defaultRules = (origins) => [
  {
    AllowedOrigins: origins,
    AllowedMethods: ['PUT'],
    AllowedHeaders: ['content-type', 'if-none-match'],
    ExposeHeaders: ['ETag'],
    MaxAgeSeconds: 3600,
  },
];

/** A fault may stand in for the endpoint's answer, and the endpoint's errors do carry CORS headers. @param {string[]} origins */
const endpointRules = (origins) => [
  { AllowedOrigins: origins, AllowedMethods: ['POST'], ExposeHeaders: ['Retry-After'] },
];

/**
 * Starts a bucket and its endpoint on loopback ports: Cloudflare's own local R2, whose S3 API verifies signatures,
 * expiry and signed headers, and the built ingest as a Worker beside it. In front stand gates of ours that add what
 * Miniflare lacks: CORS rules, faults on demand, and a log.
 *
 * @param {MockR2Options} options
 * @throws {Error} when `serverFile` has not been built, or a port is taken.
 */
export async function startMockR2({
  allowedOrigins,
  cors: corsOptions = {},
  ingest = {},
  storage = {},
  mountPath = '/spandrel',
  port = 0,
  endpointPort = 0,
  controlPort = 0,
  tls,
  serverFile = SERVER_FILE,
  worker,
}) {
  await access(serverFile).catch(() => {
    throw new Error(`${serverFile} is missing. Run "npm run build" first.`);
  });
  let cors = { rules: defaultRules(allowedOrigins), errorsWithoutCors: true, ...corsOptions };
  const endpointCors = { rules: endpointRules(allowedOrigins), errorsWithoutCors: false };
  const faults = createFaults();
  const requests = createRequestLog();
  const objects = new EventEmitter();
  const reports = await createReports(serverFile);
  const s3Credentials = {
    accessKeyId: randomBytes(16).toString('hex'),
    secretAccessKey: randomBytes(32).toString('hex'),
  };
  const r2 = { id: BUCKET, s3Credentials };

  /** @type {URL} Known only when Miniflare is up, which in turn has to know the gates' ports. */
  let upstream;
  const shared = { upstream: () => upstream, faults, log: requests };
  const bucketGate = {
    ...shared,
    cors: () => cors,
    ownsCors: true,
    keyOf: (/** @type {string} */ path) =>
      path.startsWith(`${S3_PATH}/${BUCKET}/`)
        ? decodeURIComponent(path.slice(S3_PATH.length + BUCKET.length + 2))
        : undefined,
    onStored: (/** @type {string} */ key) => objects.emit('stored', key),
  };
  const endpointGate = createGate({
    ...shared,
    target: 'endpoint',
    cors: () => endpointCors,
    ownsCors: false,
  });
  const control = createControl({ faults, requests, reports: reports.all, ledger: reports.ledger });

  /** @type {(() => Promise<void>)[]} */
  const closers = [];
  /** @template {{ close(): Promise<void> }} T @param {Promise<T>} starting @returns {Promise<T>} */
  const opened = async (starting) => {
    const listening = await starting;
    closers.unshift(listening.close);
    return listening;
  };
  /** @type {Promise<void> | undefined} */
  let closing;
  const close = () => {
    closing ??= (async () => {
      faults.clear();
      for (const one of closers) await one();
    })();
    return closing;
  };

  try {
    const bucketDoor = await opened(
      listenWithFaults('bucket', faults, createGate({ ...bucketGate, target: 'bucket' }), port, tls),
    );
    const storeDoor = await opened(
      listenWithFaults('store', faults, createGate({ ...bucketGate, target: 'store' })),
    );
    const endpointDoor = await opened(listenWithFaults('endpoint', faults, endpointGate, endpointPort, tls));
    const controlDoor = await opened(listen(control, controlPort));
    const entry = await (worker ?? ingestEntry)({
      mountPath,
      settings: {
        secret: randomBytes(32).toString('hex'),
        allowedOrigins,
        ...ingest,
        storage: {
          endpoint: storeDoor.origin + S3_PATH,
          publicEndpoint: bucketDoor.origin + S3_PATH,
          region: 'auto',
          bucket: BUCKET,
          ...s3Credentials,
          ...storage,
        },
      },
      r2,
      onReport: reports.add,
    });
    const [eventQueue] = Object.keys(entry.queueConsumers ?? {});
    const miniflare = await startMiniflare({ entry, r2, ...(eventQueue !== undefined && { eventQueue }) });
    closers.push(miniflare.dispose);
    upstream = miniflare.origin;
    const bucket = createBucket(miniflare.librarian);
    // A queue gives a message again when it was not taken, and one that could not be sent is sent by no one.
    if (eventQueue !== undefined) objects.on('stored', (key) => bucket.announce(key).catch(() => undefined));
    // What a Worker puts through its binding passes no gate.
    if (worker) closers.unshift(watchBucket(bucket, (key) => objects.emit('stored', key)));

    return {
      /** The bucket by its S3 API, with what its owner has: for tools that are given credentials. */
      owner: { endpoint: storeDoor.origin + S3_PATH, bucket: BUCKET, ...s3Credentials },
      /** Origin of the presigned URLs, for a CSP's `connect-src`. */
      bucketOrigin: bucketDoor.origin,
      /** What the keys stand behind in a presigned URL. */
      bucketUrl: `${bucketDoor.origin}${S3_PATH}/${BUCKET}`,
      endpointOrigin: endpointDoor.origin,
      endpointUrl: endpointDoor.origin + mountPath,
      controlUrl: controlDoor.origin,
      mountPath,
      bucket,
      faults,
      requests,
      /** Request listeners to mount on another server, with the same faults: the endpoint on the page's origin. */
      endpoint: endpointGate,
      control,
      /** The same for whatever else `worker` answers, without faults. */
      worker: passOn(() => upstream),
      /** What `onStored` was told, oldest first. */
      receipts: () => reports.all().stored,
      /** What `onPage` was told, oldest first. */
      pages: () => reports.all().page,
      /** What `onLost` was told, oldest first. */
      lost: () => reports.all().lost,
      /** What the endpoint's `onError` was told. */
      errors: () => reports.all().error,
      /** The account that `createLedger` made of all that. */
      ledger: reports.ledger,
      /** @param {Partial<import('./gate.mjs').CorsSettings>} change */
      setCors(change) {
        cors = { ...cors, ...change };
      },
      /**
       * Runs `listener` with the key of each object that a browser, the endpoint or `worker` stores; with some twice.
       *
       * @param {(key: string) => void} listener
       * @returns {() => void} Ends it.
       */
      onObject(listener) {
        objects.on('stored', listener);
        return () => void objects.off('stored', listener);
      },
      /** Ends everything, workerd included. May be called twice. */
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
