// The demo's endpoint and bucket with proxies in front, which can be told to spoil what they pass on.
import { startHost } from '../../demo/host.mjs';
import { forward } from '../../demo/mock-r2/forward.mjs';
import { listen } from '../../demo/mock-r2/listen.mjs';
import { S3_PATH } from '../../demo/mock-r2/start-miniflare.mjs';

/**
 * @typedef {import('node:http').IncomingMessage} Req
 * @typedef {import('node:http').ServerResponse} Res
 *
 * @typedef {object} Spoiler
 * @property {(req: Req, res: Res) => boolean} [answer] True: it has answered itself.
 * @property {(headers: Record<string, any>, req: Req) => void} [headers] Changes those of an answer.
 */

/**
 * @param {() => URL} upstream
 * @param {import('../../demo/mock-r2/listen.mjs').Tls} [tls]
 */
export async function startProxy(upstream, tls) {
  /** @type {Spoiler} */
  let spoiler = {};
  const listening = await listen(
    async (req, res) => {
      try {
        if (spoiler.answer?.(req, res)) return;
        const answer = await forward(req, upstream(), {
          path: req.url ?? '/',
          dropsHeader: () => false,
          onBytes: () => true,
        });
        const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...headers } = answer.headers;
        // Node's own is the machine's time, wherever `Date` has been moved to.
        headers.date = new Date().toUTCString();
        spoiler.headers?.(headers, req);
        res.writeHead(answer.statusCode ?? 502, headers);
        answer.pipe(res);
      } catch {
        res.destroy();
      }
    },
    0,
    tls,
  );
  return {
    ...listening,
    /** @param {Spoiler} next */
    spoil(next) {
      spoiler = next;
    },
  };
}

/** @param {Partial<import('../../demo/mock-r2/mock-r2.mjs').MockR2Options>} [mock] */
export async function startSite(mock = {}) {
  /** @type {Awaited<ReturnType<typeof startHost>>} */
  let host;
  const [endpoint, bucket, store] = await Promise.all([
    startProxy(() => new URL(host.mock.endpointOrigin)),
    startProxy(() => new URL(host.mock.bucketOrigin)),
    startProxy(() => new URL(host.mock.owner.endpoint)),
  ]);
  host = await startHost({
    mock: { ...mock, storage: { publicEndpoint: bucket.origin + S3_PATH, ...mock.storage } },
  });
  const { owner, mountPath } = host.mock;
  return {
    host,
    endpoint,
    bucket,
    store,
    origin: host.origin,
    endpointUrl: endpoint.origin + mountPath,
    /** Flags and environment of the bucket's owner. */
    ownerFlags: ['--bucket', owner.bucket, '--s3-endpoint', store.origin + S3_PATH],
    ownerEnv: { AWS_ACCESS_KEY_ID: owner.accessKeyId, AWS_SECRET_ACCESS_KEY: owner.secretAccessKey },
    /** As it was at the start. */
    mend() {
      for (const proxy of [endpoint, bucket, store]) proxy.spoil({});
      host.mock.faults.clear();
    },
    async close() {
      await Promise.all([host, endpoint, bucket, store].map((part) => part.close()));
    },
  };
}
