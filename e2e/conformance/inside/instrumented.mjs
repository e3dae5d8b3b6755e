/** What cases of `instrument` have in common. */
import { trace } from '@opentelemetry/api';
import { contextOf } from 'spandrel/edge';
import { otlp } from 'spandrel/otlp';

export const NO_SERVER = 'pages serve nothing';
export const NO_STORAGE = 'without AsyncLocalStorage the active context ends at the first await';

/** Where handlers cannot run. */
export const NOT_IN_PAGES = { chromium: NO_SERVER, firefox: NO_SERVER };
/** Where the active context does not go through awaits. */
export const NOT_WITHOUT_STORAGE = {
  ...NOT_IN_PAGES,
  'workerd-bare': NO_STORAGE,
  'edge-runtime': NO_STORAGE,
};

/** Why only Workers can. @param {string} why */
export const onlyInWorkerd = (why) => ({
  ...NOT_IN_PAGES,
  node: why,
  deno: why,
  bun: why,
  'edge-runtime': why,
});

/** To the sink, which takes the fewest requests. @param {import('../case.mjs').Env} env @param {Record<string, unknown>} [more] */
export const optionsOf = ({ service, base }, more) => ({
  service,
  destination: otlp({ url: base }),
  ...more,
});

export const tracer = () => trace.getTracer('conformance', '1.0.0');

/** A span of the user's below the request's, in every runtime. @param {Request} request @param {string} name */
export const spanOf = (request, name) => tracer().startSpan(name, {}, contextOf(request));

/** What follows `/serve/{slug}` or `/bare/{slug}`. @param {Request} request */
export const pathOf = (request) => `/${new URL(request.url).pathname.split('/').slice(3).join('/')}`;

/** @param {number} millis */
export const delay = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
