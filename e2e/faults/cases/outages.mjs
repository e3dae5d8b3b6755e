import { setTimeout as delay } from 'node:timers/promises';

/**
 * @typedef {import('../scene.mjs').Case} Case
 * @typedef {import('../scene.mjs').Scene} Scene
 * @typedef {import('../../../demo/mock-r2/faults.mjs').Fault} Fault
 * @typedef {'bucket' | 'endpoint'} Target
 */

const OUTAGE_MILLIS = 8_000;
/** Slow 3G as browsers' developer tools have it: 400 ms and 400 kbit/s. */
const SLOW_3G = { kind: /** @type {const} */ ('slow'), delayMillis: 400, bytesPerSecond: 50_000 };
/** Small blobs, so that there are many, and the upload URLs held ready do not last. */
const PAGE = { options: { scheduledDelayMillis: 200, maxTracesPerBlob: 2 } };

/** What goes wrong, for how long, and in how many words. @type {Record<string, { title: string, fault: (target: Target) => Fault, millis: number }>} */
const TROUBLES = {
  503: {
    title: 'answers 503 for 8 s',
    fault: () => ({ kind: 'status', status: 503 }),
    millis: OUTAGE_MILLIS,
  },
  '429-seconds': {
    title: 'answers 429 with Retry-After in seconds',
    fault: () => ({ kind: 'status', status: 429, retryAfter: 2 }),
    millis: 3_000,
  },
  '429-date': {
    title: 'answers 429 with Retry-After as a date',
    fault: () => ({ kind: 'status', status: 429, retryAfter: new Date(Date.now() + 3_000).toUTCString() }),
    millis: 3_000,
  },
  hang: { title: 'takes requests and never answers', fault: () => ({ kind: 'hang' }), millis: 5_000 },
  reset: {
    title: 'breaks off in the middle of bodies',
    // An exchange is short.
    fault: (target) => ({ kind: 'reset', afterBytes: target === 'bucket' ? 100 : 20 }),
    millis: 4_000,
  },
  'slow-3g': { title: 'is behind a slow 3G line', fault: () => SLOW_3G, millis: 4_000 },
};

/** A store whose errors a page may read, as S3's: else it could not know Retry-After. @param {Scene} scene */
const showErrors = ({ mock, site }) =>
  mock.setCors({
    errorsWithoutCors: false,
    rules: [
      {
        AllowedOrigins: [site.origin],
        AllowedMethods: ['PUT'],
        AllowedHeaders: ['content-type', 'if-none-match'],
        ExposeHeaders: ['ETag', 'Retry-After'],
      },
    ],
  });

/** @param {Target} target @param {string} name @returns {Case} */
function trouble(target, name) {
  const { title, fault, millis } = /** @type {(typeof TROUBLES)[string]} */ (TROUBLES[name]);
  return {
    name: `${target}-${name}`,
    title: `the ${target} ${title}`,
    page: PAGE,
    async play(scene) {
      if (name.startsWith('429')) showErrors(scene);
      const tab = await scene.visitAndSettle();
      scene.mock.faults.set(target, fault(target));
      for (let round = 1; round <= 4; round++) {
        await tab.run(scene.emit(`during ${round}`, 4));
        await delay(millis / 4);
      }
      scene.mock.faults.clear();
      await tab.run(scene.emit('after'));
    },
  };
}

/** @param {Target} target @returns {Case} */
const refused = (target) => ({
  name: `${target}-refused`,
  title: `the ${target} refuses connections as the page is closed; it is opened again later`,
  page: PAGE,
  async play(scene) {
    const tab = await scene.visitAndSettle({ closesItself: true });
    scene.mock.faults.set(target, { kind: 'down' });
    await tab.run(scene.emit('during', 4));
    await delay(1_000);
    await tab.leave(`${scene.emit('last words', 2)}; close()`);
    // What was sent in vain has been sent before the trouble ends.
    await delay(500);
    scene.mock.faults.clear();
  },
});

/** Troubles of the bucket and of the endpoint, one at a time. @type {Case[]} */
export const outages = /** @type {const} */ (['bucket', 'endpoint']).flatMap((target) => [
  ...Object.keys(TROUBLES).map((name) => trouble(target, name)),
  refused(target),
]);
