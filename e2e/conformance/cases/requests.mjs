import { SpanStatusCode, trace } from '@opentelemetry/api';
import { Hono } from 'hono';
import { routePath } from 'hono/route';
import { contextOf } from 'spandrel/edge';
import {
  delay,
  NOT_IN_PAGES,
  NOT_WITHOUT_STORAGE,
  optionsOf,
  pathOf,
  spanOf,
  tracer,
} from '../inside/instrumented.mjs';

/** @param {string} path @param {Record<string, unknown>} [more] */
const serverAttributes = (path, more) => ({
  'http.request.method': 'GET',
  'http.response.status_code': 200,
  'server.address': '127.0.0.1',
  'server.port': '(port)',
  'url.path': `/served${path}`,
  'url.scheme': 'http',
  ...more,
});

/** @param {string} path @param {Partial<import('../outside/spans.mjs').SpanNode>} [more] @param {Record<string, unknown>} [attributes] */
const server = (path, more, attributes) => ({
  name: 'GET',
  kind: 'server',
  attributes: serverAttributes(path, attributes),
  ...more,
});

const CONCURRENT = 50;
/** So many that they are sent before the answer. */
const MANY = 512;

/** @param {(request: Request, at: number) => Promise<void>} work @returns {NonNullable<import('../case.mjs').Case['serve']>} */
const interleaved = (work) => (env) =>
  env.instrumented(async (request) => {
    const at = Number(pathOf(request).slice(1));
    await work(request, at);
    return new Response(String(at));
  }, optionsOf(env));

/** All at once. @type {NonNullable<import('../case.mjs').Case['client']>} */
const askAll = async ({ ask }) => {
  const asked = await Promise.all(Array.from({ length: CONCURRENT }, (_, at) => ask(`/${at}`)));
  return asked.every(({ text }, at) => text === String(at));
};

/** Whether each request's spans hang below it, and below no other. @type {NonNullable<import('../case.mjs').Case['view']>} */
const unmixed = ({ client, trees }) => ({
  client,
  requests: trees.length,
  mixed: trees.filter((root) => {
    const at = String(root.attributes?.['url.path']).split('/').at(-1);
    const below = JSON.stringify(root.children);
    return (
      below !==
      JSON.stringify([
        {
          name: `outer ${at}`,
          kind: 'internal',
          children: [{ name: `inner ${at}`, kind: 'internal' }],
        },
      ])
    );
  }),
});

/** Not the same for two requests, so that they overtake each other. @param {number} at */
const uneven = (at) => delay((at * 7) % 23);

/** `instrument`: the request's span, and the user's below it. @type {import('../case.mjs').Case[]} */
export const requests = [
  {
    name: 'a request is a server span as the conventions have it',
    notIn: NOT_IN_PAGES,
    spans: 2,
    serve: (env) =>
      env.instrumented(async (request) => {
        const span = spanOf(request, 'work');
        await delay(1);
        span.setStatus({ code: SpanStatusCode.ERROR, message: 'so so' }).end();
        return new Response('hello', { status: 404 });
      }, optionsOf(env)),
    async client({ ask }) {
      const { status, text } = await ask('/a/b?card=4111&ok', {
        method: 'POST',
        headers: { 'user-agent': 'conformance/1.0' },
        body: 'x',
      });
      return [status, text];
    },
    expected: {
      client: [404, 'hello'],
      trees: [
        {
          name: 'POST',
          kind: 'server',
          attributes: serverAttributes('/a/b', {
            'http.request.method': 'POST',
            'http.response.status_code': 404,
            'url.query': 'card=REDACTED&ok',
            'user_agent.original': 'conformance/1.0',
          }),
          children: [{ name: 'work', kind: 'internal', status: 'error: so so' }],
        },
      ],
    },
  },
  {
    name: '50 requests at once: spans by the active context never mix',
    notIn: NOT_WITHOUT_STORAGE,
    spans: 3 * CONCURRENT,
    serve: interleaved(async (_request, at) => {
      await uneven(at);
      await tracer().startActiveSpan(`outer ${at}`, async (outer) => {
        await uneven(at + 3);
        const inner = tracer().startSpan(`inner ${at}`);
        await uneven(at + 5);
        inner.end();
        outer.end();
      });
    }),
    client: askAll,
    view: unmixed,
    expected: { client: true, requests: CONCURRENT, mixed: [] },
  },
  {
    name: '50 requests at once: spans by contextOf(request) never mix',
    notIn: NOT_IN_PAGES,
    spans: 3 * CONCURRENT,
    serve: interleaved(async (request, at) => {
      await uneven(at);
      const outer = spanOf(request, `outer ${at}`);
      await uneven(at + 3);
      const inner = tracer().startSpan(`inner ${at}`, {}, trace.setSpan(contextOf(request), outer));
      await uneven(at + 5);
      inner.end();
      outer.end();
    }),
    client: askAll,
    view: unmixed,
    expected: { client: true, requests: CONCURRENT, mixed: [] },
  },
  {
    name: 'a handler that throws is recorded, and what it throws reaches the runtime',
    notIn: NOT_IN_PAGES,
    spans: 2,
    // Its own words, with and without us.
    says: { 'edge-runtime': Array(4).fill('RangeError: out of stock') },
    serve: (env) =>
      env.instrumented(async (request) => {
        if (pathOf(request) === '/late') await delay(1);
        throw new RangeError('out of stock');
      }, optionsOf(env)),
    async client({ ask, askBare }) {
      const paths = ['/at-once', '/late'];
      const statuses = [];
      const bare = [];
      for (const path of paths) statuses.push((await ask(path)).status);
      for (const path of paths) bare.push((await askBare(path)).status);
      return { isSame: String(statuses) === String(bare) };
    },
    expected: {
      client: { isSame: true },
      trees: ['/at-once', '/late'].map((path) => {
        const { 'http.response.status_code': _, ...attributes } = serverAttributes(path);
        return {
          name: 'GET',
          kind: 'server',
          attributes: { 'error.type': 'RangeError', ...attributes },
          status: 'error: ',
          events: [
            {
              name: 'exception',
              'exception.message': 'out of stock',
              'exception.stacktrace': '(stack)',
              'exception.type': 'RangeError',
            },
          ],
        };
      }),
    },
  },
  {
    name: 'a handler that answers nothing, or a used body, is recorded and passed on',
    differs: 'not every runtime can tell that nobody sees the end of such a body',
    notIn: NOT_IN_PAGES,
    spans: 2,
    says: {
      'edge-runtime': ['The event', 'TypeError: Response body', 'The event', 'TypeError: Response body'],
    },
    serve: (env) =>
      env.instrumented(async (request) => {
        if (pathOf(request) === '/nothing') return undefined;
        const response = new Response('read already');
        await response.text();
        return response;
      }, optionsOf(env)),
    async client({ ask, askBare }) {
      const paths = ['/nothing', '/used'];
      const statuses = [];
      const bare = [];
      for (const path of paths) statuses.push((await ask(path)).status);
      for (const path of paths) bare.push((await askBare(path)).status);
      return { isSame: String(statuses) === String(bare) };
    },
    view: ({ client, trees }) => ({
      client,
      types: trees.map(({ attributes, status }) => [attributes?.['error.type'], status]),
    }),
    expected: {
      client: { isSame: true },
      types: [
        ['body_used', 'error: '],
        ['invalid_response', 'error: '],
      ],
    },
  },
  {
    name: 'a 5xx is an error, and a route is part of the name',
    notIn: NOT_IN_PAGES,
    spans: 2,
    serve: (env) =>
      env.instrumented(
        async (request) => {
          if (pathOf(request) === '/own') {
            trace.getSpan(contextOf(request))?.setAttribute('http.route', '/own/:way');
            return new Response('', { status: 503 });
          }
          return new Response('');
        },
        optionsOf(env, {
          routeOf: (/** @type {Request} */ request) =>
            pathOf(request) === '/own' ? undefined : '/product/:id',
        }),
      ),
    async client({ ask }) {
      await ask('/own');
      await ask('/product/42');
    },
    view: ({ trees }) =>
      trees.map(({ name, status, attributes }) => [
        name,
        status,
        attributes?.['http.route'],
        attributes?.['error.type'],
      ]),
    expected: [
      ['GET /own/:way', 'error: ', '/own/:way', '503'],
      ['GET /product/:id', null, '/product/:id', null],
    ],
  },
  {
    name: "Hono: the app's fetch is traced, with the matched route as its name",
    notIn: NOT_IN_PAGES,
    spans: 2,
    serve(env) {
      const app = new Hono();
      app.use(async (c, next) => {
        await next();
        trace.getSpan(contextOf(c.req.raw))?.setAttribute('http.route', routePath(c, -1));
      });
      app.get('/:what/:case/product/:id', (c) => {
        spanOf(c.req.raw, 'work').end();
        return c.text(c.req.param('id'));
      });
      return env.instrumented((request) => app.fetch(request), optionsOf(env));
    },
    client: async ({ ask }) => (await ask('/product/42')).text,
    view: ({ client, trees }) => [
      client,
      trees.map(({ name, children }) => [name, children?.map((one) => one.name)]),
    ],
    expected: ['42', [['GET /:what/:case/product/:id', ['work']]]],
  },
  {
    name: 'of a handler that hangs, what has ended is stored',
    notIn: NOT_IN_PAGES,
    spans: MANY,
    serve: (env) =>
      env.instrumented((request) => {
        for (let at = 0; at < MANY; at++) spanOf(request, 'work').end();
        return new Promise(() => {});
      }, optionsOf(env)),
    async client({ ask, until, sink }) {
      const asked = ask('/', {
        giveUp: until(() => sink.requests.at(-1)?.status === 200 || undefined, 'a part'),
      });
      return (await asked).status;
    },
    view: ({ trees }) => trees.length,
    expected: MANY,
  },
  {
    name: 'a handler instrumented twice has one span a request',
    notIn: NOT_IN_PAGES,
    spans: 1,
    serve: (env) => {
      const inner = env.instrumented(() => new Response('ok'), optionsOf(env));
      return env.instrumented((request, context) => inner.fetch(request, {}, context), optionsOf(env));
    },
    client: async ({ ask }) => (await ask('/')).text,
    expected: { client: 'ok', trees: [server('/')] },
  },
  {
    name: 'wrong options leave the handler as it is, and say so once',
    notIn: NOT_IN_PAGES,
    spans: 0,
    says: { all: ['spandrel: nothing is traced'] },
    serve: (env) => env.instrumented(() => new Response('ok'), optionsOf(env, { sampleRate: 2 })),
    client: async ({ ask }) => [(await ask('/')).text, (await ask('/')).text],
    expected: { client: ['ok', 'ok'], trees: [] },
  },
];
