import { context, propagation as otel, trace } from '@opentelemetry/api';
import { contextOf } from 'spandrel/edge';
import { delay, NOT_IN_PAGES, NOT_WITHOUT_STORAGE, optionsOf, pathOf } from '../inside/instrumented.mjs';

const TRACE = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
const PARENT = '00f067aa0ba902b7';
const GOOD = `00-${TRACE}-${PARENT}-01`;

/** The caller's headers, and what becomes of them: whether the trace goes on, and with what state. @type {[string, Record<string, string | string[]>, [boolean, string?]][]} */
const CALLERS = [
  ['a good one', { traceparent: GOOD }, [true]],
  ['other case of the name', { TraceParent: GOOD }, [true]],
  ['spaces around', { traceparent: `  ${GOOD} ` }, [true]],
  ['more flags', { traceparent: `00-${TRACE}-${PARENT}-ff` }, [true]],
  ['a later version', { traceparent: `cc-${TRACE}-${PARENT}-01` }, [true]],
  ['a later version with more', { traceparent: `cc-${TRACE}-${PARENT}-01-what` }, [true]],
  ['a later version with more, not parted', { traceparent: `cc-${TRACE}-${PARENT}-01.what` }, [false]],
  ['version ff', { traceparent: `ff-${TRACE}-${PARENT}-01` }, [false]],
  ['version 00 with more', { traceparent: `${GOOD}-what` }, [false]],
  ['upper case', { traceparent: GOOD.toUpperCase() }, [false]],
  ['no hex', { traceparent: `00-${TRACE.replace('a', '.')}-${PARENT}-01` }, [false]],
  ['no trace', { traceparent: `00-${'0'.repeat(32)}-${PARENT}-01` }, [false]],
  ['no parent', { traceparent: `00-${TRACE}-${'0'.repeat(16)}-01` }, [false]],
  ['too short', { traceparent: GOOD.slice(0, -1) }, [false]],
  ['two of them', { traceparent: [GOOD, GOOD] }, [false]],
  ['empty', { traceparent: '' }, [false]],
  ['a state', { traceparent: GOOD, tracestate: 'foo=1,bar=2' }, [true, 'foo=1,bar=2']],
  ['a state in two headers', { traceparent: GOOD, tracestate: ['foo=1', 'bar=2'] }, [true, 'foo=1,bar=2']],
  [
    'a state with spaces and gaps',
    { traceparent: GOOD, tracestate: 'foo=1 \t,,\tbar=2, ' },
    [true, 'foo=1,bar=2'],
  ],
  ['a state with a key twice', { traceparent: GOOD, tracestate: 'foo=1,foo=2' }, [true, 'foo=1']],
  ['a state with a bad key', { traceparent: GOOD, tracestate: 'Foo=1' }, [true]],
  ['a state of a tenant', { traceparent: GOOD, tracestate: '0t@v=1' }, [true, '0t@v=1']],
  [
    'a state that is too long',
    { traceparent: GOOD, tracestate: Array.from({ length: 33 }, (_, at) => `k${at}=1`).join() },
    [true],
  ],
  ['a state alone', { tracestate: 'foo=1' }, [false]],
];

/** @param {Request} request */
const spanContext = (request) => trace.getSpan(contextOf(request))?.spanContext();

/** What the request's span is, as its handler sees it. @param {Request} request */
const told = (request) => {
  const { traceId, traceFlags, traceState } = spanContext(request) ?? {};
  return Response.json({ traceId, isSampled: ((traceFlags ?? 0) & 1) === 1, state: traceState?.serialize() });
};

/** `instrument`: traces that come in and go out. @type {import('../case.mjs').Case[]} */
export const propagation = [
  {
    name: 'traceparent and tracestate are read as W3C has it',
    notIn: NOT_IN_PAGES,
    spans: CALLERS.length,
    serve: (env) => env.instrumented(told, optionsOf(env)),
    async client({ ask }) {
      /** @type {Record<string, unknown>} */
      const got = {};
      for (const [name, headers] of CALLERS) {
        const { traceId, isSampled, state } = JSON.parse((await ask('/', { headers })).text);
        got[name] = [traceId === TRACE, ...(state ? [state] : []), ...(isSampled ? [] : ['not sampled'])];
      }
      return got;
    },
    view: ({ client, trees }) => ({
      client,
      children: trees.filter(({ parent }) => parent === PARENT).length,
    }),
    expected: {
      client: Object.fromEntries(CALLERS.map(([name, , expected]) => [name, expected])),
      children: CALLERS.filter(([, , [goesOn]]) => goesOn).length,
    },
  },
  {
    name: 'a caller that does not sample is followed, and one that is not trusted is linked',
    notIn: NOT_IN_PAGES,
    spans: 1,
    serve: (env) =>
      env.instrumented(
        told,
        optionsOf(env, {
          trustTraceparent: (/** @type {Request} */ request) => pathOf(request) === '/friend',
        }),
      ),
    async client({ ask }) {
      const friend = await ask('/friend', { headers: { traceparent: `00-${TRACE}-${PARENT}-00` } });
      const stranger = await ask('/stranger', { headers: { traceparent: GOOD } });
      return [friend, stranger].map(({ text }) => {
        const { traceId, isSampled } = JSON.parse(text);
        return [traceId === TRACE, isSampled];
      });
    },
    view: ({ client, trees }) => ({ client, links: trees.map(({ links, parent }) => [links, parent]) }),
    expected: {
      client: [
        [true, false],
        [false, true],
      ],
      links: [[[PARENT], null]],
    },
  },
  {
    name: 'baggage is read by the handler, and goes on with what it fetches; that of strangers is not there',
    notIn: NOT_WITHOUT_STORAGE,
    spans: 1 + 3 * 2,
    serve: (env) =>
      env.instrumented(
        async (request) => {
          if (pathOf(request) === '/first') return new Response('');
          await delay(1);
          const { baggage = null } = (await (await fetch(`${env.base}/echo`)).json()).headers;
          const read = otel.getBaggage(context.active())?.getAllEntries() ?? null;
          return Response.json({ read, baggage });
        },
        optionsOf(env, {
          trustTraceparent: (/** @type {Request} */ request) => pathOf(request) !== '/stranger',
        }),
      ),
    async client({ ask }) {
      // Where the runtime has to be asked for its AsyncLocalStorage, a first request may be without.
      await ask('/first');
      const told = [];
      for (const [path, headers] of /** @type {[string, Record<string, string | string[]>][]} */ ([
        [
          '/friend',
          { traceparent: GOOD, baggage: 'user=%C3%BC%2C1 ; ttl=30 , empty=,=none,plain=a=b,bad=%,user2="x"' },
        ],
        ['/friend', { baggage: ['a=1', '__proto__=2'] }],
        ['/stranger', { traceparent: GOOD, baggage: 'a=1' }],
      ])) {
        told.push(JSON.parse((await ask(path, { headers })).text));
      }
      return told;
    },
    view: ({ client }) => client,
    expected: [
      {
        baggage: 'user=%C3%BC%2C1;ttl=30,plain=a%3Db,user2=%22x%22',
        read: [
          ['user', { value: 'ü,1', metadata: {} }],
          ['plain', { value: 'a=b' }],
          ['user2', { value: '"x"' }],
        ],
      },
      {
        baggage: 'a=1,__proto__=2',
        read: [
          ['a', { value: '1' }],
          ['__proto__', { value: '2' }],
        ],
      },
      { baggage: null, read: null },
    ],
  },
  {
    name: 'what a handler fetches is a client span, whose context goes out',
    notIn: NOT_WITHOUT_STORAGE,
    spans: 3,
    serve: (env) =>
      env.instrumented(async (request) => {
        await delay(1);
        const echoed = await (
          await fetch(`${env.base}/echo?token=secret`, { method: 'POST', body: 'x' })
        ).json();
        await fetch(`${env.base}/status/500`);
        const { traceId } = spanContext(request) ?? {};
        const [, sent, , flags] = echoed.headers.traceparent.split('-');
        return Response.json({ isSame: sent === traceId, flags, body: echoed.body });
      }, optionsOf(env)),
    client: async ({ ask }) => JSON.parse((await ask('/')).text),
    view: ({ client, trees: [root] }) => ({ client, children: root?.children }),
    expected: {
      client: { isSame: true, flags: '01', body: 'x' },
      children: [
        {
          name: 'GET',
          kind: 'client',
          attributes: {
            'error.type': '500',
            'http.request.method': 'GET',
            'http.response.status_code': 500,
            'server.address': '127.0.0.1',
            'server.port': '(port)',
            'url.full': '(outside)/status/500',
          },
          status: 'error: ',
        },
        {
          name: 'POST',
          kind: 'client',
          attributes: {
            'http.request.method': 'POST',
            'http.response.status_code': 200,
            'server.address': '127.0.0.1',
            'server.port': '(port)',
            'url.full': '(outside)/echo?token=REDACTED',
          },
        },
      ],
    },
  },
  {
    name: 'nobody is sent a context who is not to have it, and none is overwritten',
    notIn: NOT_WITHOUT_STORAGE,
    spans: 3,
    serve: (env) =>
      env.instrumented(
        async () => {
          const own = { traceparent: GOOD };
          const asked = await Promise.all([
            fetch(`${env.base}/echo`),
            fetch(`${env.base}/echo`, { headers: own }),
          ]);
          const echoed = await Promise.all(asked.map((response) => response.json()));
          return Response.json(echoed.map(({ headers }) => headers.traceparent ?? null));
        },
        optionsOf(env, { propagateTo: ['https://api.example'] }),
      ),
    client: async ({ ask }) => JSON.parse((await ask('/')).text),
    view: ({ client }) => client,
    expected: [null, GOOD],
  },
  {
    name: 'a page is told where its trace goes on, and other answers are not',
    notIn: NOT_IN_PAGES,
    spans: 2,
    serve: (env) =>
      env.instrumented(
        (request) =>
          pathOf(request) === '/page'
            ? new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } })
            : Response.json({}),
        optionsOf(env),
      ),
    async client({ ask }) {
      const answers = [await ask('/page'), await ask('/data')];
      return answers.map(({ headers }) =>
        headers
          .filter((line) => line.startsWith('server-timing'))
          .map((line) => line.replace(/[\da-f]{16,32}/g, '(id)')),
      );
    },
    view: ({ client }) => client,
    expected: [['server-timing: traceparent;desc="00-(id)-(id)-01"'], []],
  },
  {
    name: 'a share of nothing keeps nothing, and says so to those who are called',
    notIn: NOT_WITHOUT_STORAGE,
    spans: 0,
    serve: (env) =>
      env.instrumented(
        async () => {
          const { headers } = await (await fetch(`${env.base}/echo`)).json();
          return new Response(headers.traceparent?.slice(-3));
        },
        optionsOf(env, { sampleRate: 0 }),
      ),
    client: async ({ ask }) => (await ask('/')).text,
    view: ({ client }) => client,
    expected: '-00',
  },
];
