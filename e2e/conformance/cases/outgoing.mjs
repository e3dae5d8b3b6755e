import { trace } from '@opentelemetry/api';
import { contextOf, traceFetch } from 'spandrel/edge';
import {
  delay,
  NOT_IN_PAGES,
  NOT_WITHOUT_STORAGE,
  onlyInWorkerd,
  optionsOf,
  pathOf,
} from '../inside/instrumented.mjs';

const OWN = '00-12345678901234567890123456789012-1234567890123456-01';
const ABORT_MILLIS = 40;

const stream = () =>
  new ReadableStream({
    start(controller) {
      for (const part of ['str', 'eam']) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });

/** @param {AbortController} [controller] */
const abortedSoon = (controller = new AbortController()) => {
  setTimeout(() => controller.abort(), ABORT_MILLIS);
  return controller.signal;
};

/** Arguments of `fetch`, made anew for each call. @type {Record<string, (base: string) => any[]>} */
const CALLS = {
  url: (base) => [`${base}/echo?token=abc#part`],
  'URL object': (base) => [new URL(`${base}/echo`)],
  'init with an object': (base) => [`${base}/echo`, { method: 'POST', body: 'b', headers: { 'X-A': '1' } }],
  'init with a list': (base) => [`${base}/echo`, { headers: [['x-a', '1']] }],
  'init with Headers': (base) => [`${base}/echo`, { headers: new Headers({ 'x-a': '1' }) }],
  'init of a class': (base) => [
    `${base}/echo`,
    new (class {
      #method = 'POST';
      get method() {
        return this.#method;
      }
      get headers() {
        return { 'x-a': '1' };
      }
      get body() {
        return 'b';
      }
    })(),
  ],
  'init that nobody can enumerate': (base) => [
    `${base}/echo`,
    Object.freeze(Object.defineProperties({}, { method: { value: 'POST' }, body: { value: 'b' } })),
  ],
  'init that is inherited': (base) => [`${base}/echo`, Object.create({ method: 'POST', body: 'b' })],
  'init that is a proxy': (base) => [`${base}/echo`, new Proxy({ method: 'POST', body: 'b' }, {})],
  'its own traceparent': (base) => [`${base}/echo`, { headers: { TraceParent: OWN } }],
  Request: (base) => [new Request(`${base}/echo`, { method: 'PUT', body: 'rb', headers: { 'x-a': '1' } })],
  'Request with its own traceparent': (base) => [
    new Request(`${base}/echo`, { headers: { traceparent: OWN } }),
  ],
  'Request and init': (base) => [
    new Request(`${base}/echo`, { headers: { 'x-a': '1' } }),
    { headers: { 'x-b': '2' } },
  ],
  'Request with a stream': (base) => [
    new Request(`${base}/echo`, /** @type {any} */ ({ method: 'POST', body: stream(), duplex: 'half' })),
  ],
  'init with a stream': (base) => [`${base}/echo`, { method: 'POST', body: stream(), duplex: 'half' }],
  'a method in lower case': (base) => [`${base}/echo`, { method: 'post', body: 'x' }],
  HEAD: (base) => [`${base}/echo`, { method: 'HEAD' }],
  'a redirect, not followed': (base) => [`${base}/redirect`, { redirect: 'manual' }],
  'a redirect, followed': (base) => [`${base}/redirect`],
  'not found': (base) => [`${base}/nowhere`],
  'data:': () => ['data:text/plain,hi'],
  'no URL': () => ['http://'],
  'no argument': () => [],
  'nobody there': () => ['http://127.0.0.1:1/'],
  'aborted before': (base) => [`${base}/echo`, { signal: AbortSignal.abort() }],
  'aborted later': (base) => [`${base}/hang`, { signal: abortedSoon() }],
};

/** What differs from call to call, or between a call that is traced and one that is not. */
const NOT_COMPARED = ['traceparent', 'tracestate'];

/** What a call comes to, for who made it and for who was called. @param {typeof fetch} call @param {any[]} args */
async function seenOf(call, args) {
  try {
    const response = await Reflect.apply(call, undefined, args);
    const text = await response.text();
    const seen = { status: response.status, type: response.type, redirected: response.redirected, text };
    if (!text.startsWith('{')) return seen;
    const { headers, ...rest } = JSON.parse(text);
    const traceparent = headers.traceparent;
    const others = Object.entries(headers)
      .filter(([key]) => !NOT_COMPARED.includes(key))
      .sort();
    return { ...seen, text: { ...rest, headers: others }, ...(traceparent === OWN && { own: true }) };
  } catch (error) {
    const { name, message } = /** @type {Error} */ (error);
    return { name, message };
  }
}

/** @param {import('../outside/spans.mjs').SpanNode} span */
const lineOf = ({ name, attributes = {} }) =>
  [
    name,
    String(attributes['url.full']).replace('(outside)', ''),
    attributes['http.response.status_code'] ?? '-',
    ...('error.type' in attributes ? ['error'] : []),
    ...(attributes['spandrel.aborted'] ? ['aborted'] : []),
  ].join(' ');

/** What a Worker does with a binding, as it looks to who does it. @param {any} api @param {any} other @param {any} ctx */
async function uses(api, other, ctx) {
  /** @type {Record<string, () => unknown>} */
  const tasks = {
    property: () => api.property,
    nested: () => api.nested.leaf,
    method: () => api.add(1, 2),
    'method, taken off': () => Reflect.apply(api.add, undefined, [1, 2]),
    'a function handed on': () => api.call((/** @type {string} */ text) => `${text} back`),
    'a promise of it': async () => (await Promise.resolve(api)) === api,
    'no promise itself': () => typeof api.then,
    'its class': () => [api.constructor.name, Object.prototype.toString.call(api), Object.keys(api)],
    'of its class': () => api instanceof other.constructor,
    cloned: () => structuredClone(api),
    'handed on': () => other.useStub(api),
    'in an object': () => other.useStub({ api }.api),
    'the native method': () => typeof Reflect.apply(Object.getPrototypeOf(api).connect, api, ['localhost:1']),
    'an entrypoint made by hand': async () => {
      const { WorkerEntrypoint } = await import(/** @type {string} */ ('cloudflare:workers'));
      return typeof new WorkerEntrypoint(ctx, {});
    },
  };
  /** @type {Record<string, unknown>} */
  const seen = {};
  for (const [name, task] of Object.entries(tasks)) {
    try {
      seen[name] = await task();
    } catch (error) {
      seen[name] = String(error);
    }
  }
  return seen;
}

/** `instrument`: what a handler fetches. @type {import('../case.mjs').Case[]} */
export const outgoing = [
  {
    name: 'a traced fetch is to caller and called what fetch is, however it is called',
    notIn: NOT_WITHOUT_STORAGE,
    // Three of them never leave.
    spans: 1 + Object.keys(CALLS).length - 3,
    differs: 'runtimes word network errors each in their own way, and know other calls for wrong',
    serve: (env) =>
      env.instrumented(async () => {
        const bare = /** @type {any} */ (globalThis.fetch).__original;
        /** @type {Record<string, unknown>} */
        const different = {};
        for (const [name, argsOf] of Object.entries(CALLS)) {
          const [plain, traced] = [
            await seenOf(bare, argsOf(env.base)),
            await seenOf(globalThis.fetch, argsOf(env.base)),
          ];
          if (JSON.stringify(plain) !== JSON.stringify(traced)) different[name] = { plain, traced };
        }
        return Response.json(different);
      }, optionsOf(env)),
    client: async ({ ask }) => JSON.parse((await ask('/')).text),
    view: ({ client, trees: [root] }) => ({ client, spans: root?.children?.map(lineOf).sort() }),
    expected: {
      client: {},
      spans: [
        'GET /echo - aborted',
        'GET /echo 200',
        'GET /echo 200',
        'GET /echo 200',
        'GET /echo 200',
        'GET /echo 200',
        'GET /echo 200',
        'GET /echo?token=REDACTED 200',
        'GET /hang - aborted',
        'GET /nowhere 404 error',
        'GET /redirect 200',
        'GET /redirect 302',
        'GET http://127.0.0.1:1/ - error',
        'HEAD /echo 200',
        'POST /echo 200',
        'POST /echo 200',
        'POST /echo 200',
        'POST /echo 200',
        'POST /echo 200',
        'POST /echo 200',
        'POST /echo 200',
        'POST /echo 200',
        'PUT /echo 200',
      ],
    },
  },
  {
    name: 'traceFetch with a context given: a client span without AsyncLocalStorage too',
    notIn: NOT_IN_PAGES,
    spans: 2,
    serve: (env) =>
      env.instrumented(async (request) => {
        await delay(1);
        const traced = traceFetch(fetch, contextOf(request));
        const { headers } = await (await traced(`${env.base}/echo`)).json();
        const { traceId } = trace.getSpan(contextOf(request))?.spanContext() ?? {};
        return Response.json(headers.traceparent.includes(traceId));
      }, optionsOf(env)),
    client: async ({ ask }) => (await ask('/')).text,
    view: ({ client, trees }) => [
      client,
      trees.map(({ name, children }) => [name, children?.map((one) => one.kind)]),
    ],
    expected: ['true', [['GET', ['client']]]],
  },
  {
    name: 'a binding is what it was when its requests are traced',
    notIn: onlyInWorkerd('others have no bindings'),
    spans: 3,
    serve: (env) =>
      env.module(
        {
          /** @param {Request} request @param {any} bindings @param {any} ctx */
          async fetch(request, { API, OTHER }, ctx) {
            const before = await uses(API, OTHER, ctx);
            const api = traceFetch(API);
            const after = await uses(api, OTHER, ctx);
            const ofContext = traceFetch(OTHER, contextOf(request));
            return Response.json({
              isSame: api === API,
              different: Object.keys(before).filter(
                (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
              ),
              before,
              ofContext: [await ofContext.property, await ofContext.nested.leaf, await ofContext.add(1, 2)],
              fetched: [
                await (await traceFetch(API, contextOf(request)).fetch('http://api/')).text(),
                await (await ofContext.fetch('http://other/')).text(),
                await (await OTHER.fetch('http://other/')).text(),
              ],
            });
          },
        },
        optionsOf(env),
      ),
    client: async ({ ask }) => JSON.parse((await ask('/')).text),
    view: ({ client, trees: [root] }) => ({ ...client, spans: root?.children?.map(lineOf) }),
    expected: {
      isSame: true,
      different: [],
      before: {
        property: 'property',
        nested: 'leaf',
        method: 3,
        'method, taken off': 3,
        'a function handed on': 'called back',
        'a promise of it': true,
        'no promise itself': 'undefined',
        'its class': ['Fetcher', '[object Fetcher]', []],
        'of its class': true,
        cloned: 'DataCloneError: ServiceStub cannot be serialized in this context.',
        'handed on': '3, not traced',
        'in an object': '3, not traced',
        'the native method': 'TypeError: Incoming CONNECT on a worker not supported',
        'an entrypoint made by hand': 'object',
      },
      ofContext: ['property', 'leaf', 3],
      fetched: ['traced', 'traced', 'not traced'],
      spans: ['GET http://api/ 200', 'GET http://other/ 200'],
    },
  },
  {
    name: 'what is fetched outside of any request is not traced',
    notIn: NOT_IN_PAGES,
    spans: 1,
    serve: (env) => {
      const served = env.instrumented(() => new Response('ok'), optionsOf(env));
      return {
        ...served,
        bare: async (request) =>
          pathOf(request) === '/outside' ? fetch(`${env.base}/echo`) : new Response('', { status: 404 }),
      };
    },
    async client({ ask, askBare }) {
      // So that `fetch` is wrapped by then.
      await ask('/');
      return JSON.parse((await askBare('/outside')).text).headers.traceparent ?? null;
    },
    view: ({ client }) => client,
    expected: null,
  },
];
