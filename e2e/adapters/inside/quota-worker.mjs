// A Worker with a quota in a Durable Object, and the limiter of the platform.
import { createIngest, durableObjectQuota, QuotaObject as Quota, workersRateLimit } from 'spandrel/server';
import { storage } from './storage.mjs';

/** Lets a test look into what is kept. */
export class QuotaObject extends Quota {
  /** @param {any} state */
  constructor(state) {
    super(state);
    this.state = state;
  }

  /** @override @param {Request} request */
  async fetch(request) {
    if (new URL(request.url).pathname !== '/kept') return super.fetch(request);
    const kept = await this.state.storage.list();
    return Response.json({ names: [...kept.keys()], alarmAtMillis: await this.state.storage.getAlarm() });
  }
}

/** @type {Map<string, (request: Request) => Promise<Response>>} */
const endpoints = new Map();

/** @param {any} env */
const optionsFor = (env) => ({
  storage,
  secret: 'a secret of at least thirty-two characters',
  allowedOrigins: /** @type {'*'} */ ('*'),
  projects: ['a', 'b'],
  maxUploads: 100,
  /** @param {unknown} error */
  onError: (error) => console.error(error),
  ...(env.WINDOW && {
    quota: {
      store: durableObjectQuota(env.QUOTA),
      windowSeconds: env.WINDOW,
      perProject: { objects: 50 },
      perPage: { objects: 20 },
    },
  }),
  ...(env.LIMITER && { rateLimit: workersRateLimit(env.LIMITER, { periodSeconds: 10 }) }),
});

export default {
  /** @param {Request} request @param {any} env */
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === '/kept') return env.QUOTA.get(env.QUOTA.idFromName('a')).fetch(request);
    const ingest = endpoints.get('') ?? createIngest(optionsFor(env));
    endpoints.set('', ingest);
    return ingest(request);
  },
};
