import { bucket, r2, tee } from 'spandrel/edge';
import { otlp } from 'spandrel/otlp';
import { delay, NOT_IN_PAGES, onlyInWorkerd, optionsOf, pathOf, spanOf } from '../inside/instrumented.mjs';

/** @param {import('../case.mjs').Seen} seen */
const namesOf = ({ trees }) =>
  trees.map(({ name, children }) => [name, children?.map((child) => child.name)]);

const NO_BINDING = 'only Workers have bindings';

/** What the runtime says of each invocation: for the client to ask. @type {any[]} */
const results = [];

/** `instrument`: when and where spans go. @type {import('../case.mjs').Case[]} */
export const flush = [
  {
    name: 'work behind the answer is waited for',
    notIn: NOT_IN_PAGES,
    spans: 2,
    serve: (env) =>
      env.instrumented((request, context) => {
        const span = spanOf(request, 'later');
        const work = delay(120).then(() => span.end());
        context.waitUntil?.(work);
        return new Response('at once');
      }, optionsOf(env)),
    async client({ ask }) {
      const { text } = await ask('/');
      return text;
    },
    view: ({ client, trees: [root], sunk }) => [client, root?.children, sunk.length],
    // Nothing says that it was interrupted.
    expected: ['at once', [{ name: 'later', kind: 'internal' }], 1],
  },
  {
    name: 'work that takes too long is sent as interrupted',
    notIn: NOT_IN_PAGES,
    spans: 2,
    serve: (env) =>
      env.instrumented(
        (request, context) => {
          spanOf(request, 'endless');
          context.waitUntil?.(delay(1_000));
          return new Response('');
        },
        optionsOf(env, { waitTimeoutMillis: 100 }),
      ),
    client: async ({ ask }) => (await ask('/')).status,
    view: ({ trees: [root] }) => root?.children?.map(({ name, attributes }) => [name, attributes]),
    expected: [['endless', { 'spandrel.interrupted': true }]],
  },
  {
    name: 'a store that hangs ends the flush in time; what waits goes with the next request, once',
    notIn: NOT_IN_PAGES,
    spans: 2,
    faults: { bucket: { kind: 'hang' } },
    serve: (env) =>
      env.instrumented(
        (request) =>
          pathOf(request) === '/results' ? Response.json(results) : new Response(pathOf(request)),
        optionsOf(env, {
          destination: bucket({ endpoint: env.endpoint }),
          // The second takes several requests, on whatever machine.
          flushTimeoutMillis: 4_000,
          onFlush: (/** @type {string} */ result) => results.push(result),
        }),
      ),
    async client({ ask, askBare, faults, until }) {
      await ask('/first');
      const first = await until(async () => {
        const { text } = await askBare('/results');
        return text === '[]' ? undefined : text;
      }, 'the first flush');
      faults.clear();
      await ask('/second');
      return first;
    },
    view: ({ client, trees, arrived }) => ({
      client,
      paths: trees.map(({ attributes }) => attributes?.['url.path']),
      objects: arrived.length,
    }),
    expected: { client: '["waiting"]', paths: ['/served/first', '/served/second'], objects: 2 },
  },
  {
    name: 'tee: one that is down holds the other up for nothing, and is not asked for ever',
    notIn: NOT_IN_PAGES,
    spans: 1,
    serve: (env) =>
      env.instrumented(
        () => new Response('ok'),
        optionsOf(env, {
          destination: tee(otlp({ url: env.base }), bucket({ endpoint: `${env.base}/status/500` })),
          flushTimeoutMillis: 200,
        }),
      ),
    client: async ({ ask }) => (await ask('/')).text,
    view: (seen) => [seen.client, namesOf(seen), seen.sunk.length],
    expected: ['ok', [['GET', null]], 1],
  },
  {
    name: 'tee: two that are well get the same',
    notIn: NOT_IN_PAGES,
    spans: 1,
    copies: 2,
    serve: (env) =>
      env.instrumented(
        () => new Response('ok'),
        optionsOf(env, { destination: tee(otlp({ url: env.base }), bucket({ endpoint: env.endpoint })) }),
      ),
    client: async ({ ask }) => (await ask('/')).text,
    view: ({ arrived }) => {
      const [a, b] = arrived.map(({ request }) => JSON.stringify(request));
      return { places: arrived.map(({ place }) => place).sort(), isSame: a === b };
    },
    expected: { places: ['bucket', 'sink'], isSame: true },
  },
  {
    name: 'r2: spans go through a binding into the bucket, under the key layout of all',
    notIn: onlyInWorkerd(NO_BINDING),
    spans: 2,
    serve: (env) =>
      env.instrumented(
        (request) => {
          spanOf(request, 'work').end();
          return new Response('ok');
        },
        optionsOf(env, { destination: r2(env.r2, { project: 'shop', environment: 'test' }) }),
      ),
    client: async ({ ask }) => (await ask('/')).text,
    view: (seen) => [
      namesOf(seen),
      seen.arrived.map(({ place, name }) => [
        place,
        name.replace(/=\d+/g, '=0').replace(/_[-\da-f]{36}\./, '_(uuid).'),
      ]),
    ],
    expected: [
      [['GET', ['work']]],
      [['r2', 'otlp/v1/shop/test/year=0/month=0/day=0/hour=0/minute=0/traces_(uuid).json.gz']],
    ],
  },
  {
    name: 'scheduled: a span that says which cron',
    notIn: onlyInWorkerd('only Workers have schedules'),
    cron: '*/5 * * * *',
    spans: 2,
    serve: (env) =>
      env.module(
        {
          async scheduled(/** @type {any} */ controller) {
            const span = spanOf(controller, 'clean up');
            await delay(1);
            span.end();
          },
        },
        optionsOf(env),
      ),
    client: async ({ scheduled }) => scheduled('*/5 * * * *'),
    view: ({ trees, arrived }) => ({
      trees,
      faas: arrived[0]?.request.resourceSpans[0].scopeSpans
        .flatMap((/** @type {any} */ { spans }) => spans)
        .flatMap((/** @type {any} */ { attributes = [] }) => attributes)
        .filter((/** @type {any} */ { key }) => /^faas\.(trigger|cron|invocation\.start_time)$/.test(key))
        .map((/** @type {any} */ { key, value }) => [key, value.stringValue])
        .sort(),
    }),
    expected: {
      trees: [{ name: 'scheduled', kind: 'server', children: [{ name: 'clean up', kind: 'internal' }] }],
      faas: [
        ['faas.cron', '*/5 * * * *'],
        ['faas.invocation.start_time', '2026-09-21T14:13:20.000Z'],
        ['faas.trigger', 'timer'],
      ],
    },
  },
  {
    name: 'queue: a span for a batch, linked to where its messages come from',
    notIn: onlyInWorkerd('only Workers have queues'),
    queue: 'orders',
    spans: 1,
    serve: (env) => env.module({ async queue() {} }, optionsOf(env)),
    client: async ({ queue }) =>
      queue('orders', [
        {
          id: '1',
          timestamp: new Date(0),
          attempts: 1,
          body: { traceparent: '00-a1b2c3d4e5f60718293a4b5c6d7e8f90-00f067aa0ba902b7-01' },
        },
        { id: '2', timestamp: new Date(0), attempts: 1, body: 'nothing' },
      ]),
    view: ({ trees }) => trees,
    expected: [
      {
        name: 'process orders',
        kind: 'consumer',
        attributes: {
          'messaging.batch.message_count': 2,
          'messaging.destination.name': 'orders',
          'messaging.operation.name': 'process',
          'messaging.operation.type': 'process',
          'messaging.system.name': 'cloudflare_queues',
        },
        links: ['00f067aa0ba902b7'],
      },
    ],
  },
];
