import { bucket, tee } from 'spandrel/edge';
import { openTracing, told } from '../inside/traces.mjs';
import { untilSent } from '../inside/until-sent.mjs';

/** @typedef {import('../case.mjs').Env} Env @typedef {import('../case.mjs').Seen} Seen */

const ONE = { created: 1, stored: 1, waiting: 0, dropped: {}, exceptions: 0 };

/** Shutdown loses nothing there. */
const NOT_IN_PAGES = Object.fromEntries(
  ['chromium', 'firefox'].map((name) => [name, 'a page keeps what waits in its database, for the next page']),
);

/** One span, and what became of it. @param {Env} env @param {Record<string, any>} [options] @param {(exporter: any) => Promise<unknown>} [wait] */
async function one(env, options, wait) {
  const { tracer, exporter, close } = openTracing(env, options);
  tracer.startSpan('one').end();
  await exporter.flush();
  await wait?.(exporter);
  return close();
}

/** How often each status was answered to uploads, and under how many keys. @param {Seen} seen */
const uploads = ({ answer, requests }) => {
  const puts = requests.filter(({ method }) => method === 'PUT');
  return {
    answer,
    statuses: puts.map(({ status }) => status),
    keys: new Set(puts.map(({ key }) => key)).size,
  };
};

const TREES = [{ name: 'one', kind: 'internal' }];

/** What goes wrong outside. @type {import('../case.mjs').Case[]} */
export const trouble = [
  {
    name: 'a store that answers 503 with Retry-After is asked again, under the same key',
    spans: 1,
    faults: { bucket: { kind: 'status', status: 503, retryAfter: 1, times: 1 } },
    async run(env) {
      const begun = Date.now();
      const ledger = await one(env, {}, untilSent);
      return { ...ledger, waited: Date.now() - begun >= 950 };
    },
    view: uploads,
    expected: { answer: { ...ONE, waited: true }, statuses: [503, 200], keys: 1 },
  },
  {
    name: 'an endpoint that answers 429 with Retry-After is asked again',
    spans: 1,
    faults: { endpoint: { kind: 'status', status: 429, retryAfter: 1, times: 1 } },
    async run(env) {
      const begun = Date.now();
      const ledger = await one(env, {}, untilSent);
      return { ...ledger, waited: Date.now() - begun >= 950 };
    },
    view: uploads,
    expected: { answer: { ...ONE, waited: true }, statuses: [200], keys: 1 },
  },
  {
    name: 'an answer that was lost ends in one object, stored once',
    spans: 1,
    faults: { bucket: { kind: 'lost-answer', times: 1 } },
    run: (env) => one(env, {}, untilSent),
    view: (seen) => {
      // A runtime may put it again by itself; else the endpoint is asked, which looks.
      const { answer, keys } = uploads(seen);
      return { answer, keys, objects: seen.arrived.length };
    },
    expected: { answer: ONE, keys: 1, objects: 1 },
  },
  {
    name: 'a URL that has expired is renewed for the same key',
    spans: 1,
    faults: { bucket: { kind: 'clock', shiftMillis: 3_600_000, times: 1 } },
    run: (env) => one(env),
    view: (seen) => ({
      ...uploads(seen),
      asked: seen.requests.filter(({ target }) => target === 'endpoint').length,
    }),
    expected: { answer: ONE, statuses: [403, 200], keys: 1, asked: 3 },
  },
  {
    name: 'a store that refuses for ever costs the blob, and says so',
    spans: 0,
    faults: { bucket: { kind: 'status', status: 400, code: 'InvalidRequest' } },
    run: (env) => one(env),
    view: uploads,
    expected: { answer: { ...ONE, stored: 0, dropped: { rejected: 1 } }, statuses: [400], keys: 1 },
  },
  {
    name: 'an endpoint that forbids is not asked again and again',
    spans: 0,
    notIn: NOT_IN_PAGES,
    faults: { endpoint: { kind: 'status', status: 403 } },
    run: (env) => one(env),
    view: ({ answer, requests }) => ({ answer, asked: requests.length }),
    // The second time to tell of the loss.
    expected: { answer: { ...ONE, stored: 0, dropped: { shutdown: 1 } }, asked: 2 },
  },
  {
    name: 'shutdown keeps its deadline while the store hangs',
    spans: 0,
    notIn: NOT_IN_PAGES,
    faults: { bucket: { kind: 'hang' } },
    async run(env) {
      const { tracer, exporter, processor } = openTracing(env, { shutdownTimeoutMillis: 300 });
      tracer.startSpan('one').end();
      // The default is 5,000.
      const begun = Date.now();
      await processor.shutdown();
      return { ...told(exporter.stats()), isInTime: Date.now() - begun < 4_500 };
    },
    view: ({ answer }) => answer,
    expected: { ...ONE, stored: 0, dropped: { shutdown: 1 }, isInTime: true },
  },
  {
    name: 'what ends after shutdown is counted as lost, and a second shutdown is nothing',
    spans: 1,
    async run(env) {
      const { tracer, exporter, processor } = openTracing(env);
      const late = tracer.startSpan('late');
      tracer.startSpan('one').end();
      await Promise.all([processor.shutdown(), processor.shutdown()]);
      late.end();
      tracer.startSpan('after').end();
      await processor.forceFlush();
      await exporter.forceFlush();
      return { ...told(exporter.stats()), state: exporter.stats().state };
    },
    view: ({ answer, trees }) => ({ answer, trees }),
    expected: { answer: { ...ONE, created: 3, dropped: { shutdown: 2 }, state: 'shut-down' }, trees: TREES },
  },
  {
    name: 'an upload that is redirected is not followed, and not taken for stored',
    spans: 0,
    notIn: NOT_IN_PAGES,
    async run(env) {
      /** @type {() => Promise<import('../../../src/protocol.js').PresignedUpload[]>} */
      const requestUploads = async () => [
        {
          method: 'PUT',
          url: `${env.base}/redirect`,
          headers: {},
          key: 'k1',
          token: 't1',
          expiresInMs: 60_000,
        },
      ];
      return one(env, {
        destination: bucket({ requestUploads, poolSize: 1 }),
        flushTimeoutMillis: 400,
        shutdownTimeoutMillis: 100,
      });
    },
    view: ({ answer }) => answer,
    expected: { ...ONE, stored: 0, dropped: { shutdown: 1 } },
  },
  {
    name: 'tee: a destination that is down leaves the other whole',
    spans: 1,
    notIn: NOT_IN_PAGES,
    async run(env) {
      const down = bucket({ endpoint: `${env.base}/status/500` });
      const { tracer, exporter, close } = openTracing(env, {
        destination: tee(bucket({ endpoint: env.endpoint }), down),
        flushTimeoutMillis: 3_000,
        shutdownTimeoutMillis: 100,
      });
      tracer.startSpan('one').end();
      const result = await exporter.flush();
      const ledger = await close();
      return { ...ledger, result, others: exporter.stats().others.map(told) };
    },
    expected: {
      answer: { ...ONE, result: 'waiting', others: [{ ...ONE, stored: 0, dropped: { shutdown: 1 } }] },
      trees: TREES,
    },
  },
];
