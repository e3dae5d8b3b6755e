import { NOT_IN_PAGES, optionsOf } from '../inside/instrumented.mjs';

/** What a runtime says of itself; versions as such. */
const OWN =
  /^(process\.runtime\.|cloud\.|telemetry\.sdk\.language|faas\.(trigger|coldstart)|spandrel\.clock\.)/;

/** @param {any[]} attributes */
const own = (attributes) =>
  Object.fromEntries(
    attributes
      .filter(({ key }) => OWN.test(key))
      .map(({ key, value }) => [
        key,
        key === 'process.runtime.version'
          ? /^\d+\.\d+\.\d+/.test(value.stringValue)
          : (value.stringValue ?? value.boolValue),
      ]),
  );

const WORKERD = {
  resource: {
    'telemetry.sdk.language': 'javascript',
    'process.runtime.name': 'workerd',
    'cloud.provider': 'cloudflare',
    'cloud.platform': 'cloudflare.workers',
  },
  span: { 'faas.trigger': 'http', 'faas.coldstart': 'boolean', 'spandrel.clock.frozen': true },
};
/** @param {string} name @param {string} [language] */
const server = (name, language = 'javascript') => ({
  resource: {
    'telemetry.sdk.language': language,
    'process.runtime.name': name,
    'process.runtime.version': true,
  },
  span: {},
});

/** @type {Record<string, unknown>} */
const BY_RUNTIME = {
  node: server('nodejs', 'nodejs'),
  deno: server('deno'),
  bun: server('bun'),
  workerd: WORKERD,
  'workerd-bare': WORKERD,
  'edge-runtime': {
    resource: { 'telemetry.sdk.language': 'javascript', 'process.runtime.name': 'edge-runtime' },
    span: { 'faas.trigger': 'http', 'faas.coldstart': 'boolean' },
  },
};

/** What is not the same everywhere. @type {import('../case.mjs').Case[]} */
export const resource = [
  {
    name: 'each runtime is called by its name, and frozen clocks are said',
    notIn: NOT_IN_PAGES,
    spans: 1,
    serve: (env) => env.instrumented(() => new Response(''), optionsOf(env)),
    client: async ({ ask }) => (await ask('/')).status,
    view: ({ runtime, arrived }) => {
      const [{ resource, scopeSpans } = /** @type {any} */ ({})] = arrived[0]?.request.resourceSpans ?? [];
      const got = {
        resource: own(resource?.attributes ?? []),
        span: own(scopeSpans?.[0].spans[0].attributes ?? []),
      };
      // Whether a case is the first depends on what was played before.
      if ('faas.coldstart' in got.span) got.span['faas.coldstart'] = typeof got.span['faas.coldstart'];
      return JSON.stringify(got) === JSON.stringify(BY_RUNTIME[runtime]) || got;
    },
    expected: true,
  },
];
