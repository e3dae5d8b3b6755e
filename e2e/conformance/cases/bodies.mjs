import { delay, NOT_IN_PAGES, onlyInWorkerd, optionsOf, pathOf, spanOf } from '../inside/instrumented.mjs';

const CHUNKS = 5;
const CHUNK_MILLIS = 30;
/** A stream takes this long at least. */
const STREAM_MILLIS = (CHUNKS - 1) * CHUNK_MILLIS;

/** @param {(at: number) => string | undefined | Promise<string | undefined>} chunkAt @param {(reason: unknown) => void} [cancel] */
const slowly = (chunkAt, cancel = () => {}) => {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at) await delay(CHUNK_MILLIS);
      const chunk = await chunkAt(at++);
      if (chunk === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(chunk));
    },
    cancel,
  });
};

const EVENT_BYTES = CHUNKS * 'data: 0\n\n'.length;

const events = () => slowly((at) => (at < CHUNKS ? `data: ${at}\n\n` : undefined));

/** Milliseconds. @param {any} span */
const durationOf = ({ startTimeUnixNano, endTimeUnixNano }) =>
  Number((BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1_000_000n);

/** @type {Record<string, (env: import('../case.mjs').Env) => Response | Promise<Response>>} */
const RESPONSES = {
  text: () => new Response('hello'),
  empty: () => new Response(''),
  none: () => new Response(null),
  json: () => Response.json({ hello: ['world'] }),
  bytes: () => new Response(new Uint8Array([104, 105]), { headers: { 'content-type': 'text/plain' } }),
  blob: () => new Response(new Blob(['a blob'], { type: 'text/plain' })),
  params: () => new Response(new URLSearchParams({ a: '1' })),
  large: () => new Response('x'.repeat(200_000)),
  stream: () => new Response(events(), { headers: { 'content-type': 'text/event-stream' } }),
  cookies() {
    const response = new Response('two', { headers: { 'x-own': 'kept' }, status: 201 });
    response.headers.append('set-cookie', 'a=1; Path=/');
    response.headers.append('set-cookie', 'b=2; Path=/');
    return response;
  },
  gone: () => new Response(null, { status: 204 }),
  unmodified: () => new Response(null, { status: 304, headers: { etag: '"e"' } }),
  redirect: () => Response.redirect('http://127.0.0.1/elsewhere', 302),
  proxied: ({ base }) => fetch(`${base}/fixed`),
  encoded: ({ base }) => fetch(`${base}/gzip`),
  chunked: ({ base }) => fetch(`${base}/stream`),
  rewrapped: async ({ base }) => {
    const response = await fetch(`${base}/fixed`);
    return new Response(response.body, response);
  },
  megabyte: ({ base }) => fetch(`${base}/megabyte`),
  notFound: () => new Response('no', { status: 404, statusText: 'Nowhere' }),
  broken: () => new Response('oh', { status: 500 }),
  atOnce: () =>
    new Response(
      new ReadableStream({
        start(controller) {
          for (const part of ['a', 'b']) controller.enqueue(new TextEncoder().encode(part));
          controller.close();
        },
      }),
    ),
  streamOfBlob: () => new Response(new Blob(['a', 'b']).stream()),
  declared: () => new Response(events(), { headers: { 'content-length': String(EVENT_BYTES) } }),
  transformed: () => new Response(events().pipeThrough(new TransformStream())),
  teed: () => new Response(events().tee()[0]),
  cloned: () => new Response('cloned').clone(),
  html: () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } }),
  headStream: () => new Response(events()),
};

/** @type {Record<string, 'HEAD'>} */
const METHODS = { head: 'HEAD', headStream: 'HEAD' };
RESPONSES['head'] = () => new Response('not sent', { headers: { 'content-length': '8' } });

/** Those that are fetched are two spans. */
const FETCHED = 5;

/** What we cannot keep: Bun knows such a stream again, and sends a type that nobody has set. @type {Partial<Record<import('../case.mjs').RuntimeName, string[]>>} */
const LOST = { bun: ['streamOfBlob'] };

/** @param {import('../outside/ask.mjs').Asked} asked */
const lasting = ({ status, headers, text, error }) => ({
  status,
  headers,
  text: text.length > 100 ? `${text.length} characters from ${text.slice(0, 9)}` : text,
  error,
});

/** @param {import('../case.mjs').Outside} outside @param {string[]} names */
async function differences({ ask, askBare }, names) {
  /** @type {Record<string, unknown>} */
  const different = {};
  for (const name of names) {
    const init = { method: METHODS[name] ?? 'GET' };
    const [bare, watched] = [lasting(await askBare(`/${name}`, init)), lasting(await ask(`/${name}`, init))];
    if (JSON.stringify(bare) !== JSON.stringify(watched)) different[name] = { bare, watched };
  }
  return different;
}

/** workerd's global objects. */
const workers = /** @type {any} */ (globalThis);

/** Writes and lets nobody wait. @param {{ readable: ReadableStream, writable: WritableStream }} through */
const written = ({ readable, writable }) => {
  const writer = writable.getWriter();
  const gone = () => {};
  writer.write(new TextEncoder().encode('four')).catch(gone);
  writer.close().catch(gone);
  return readable;
};

/** @type {Record<string, (env: import('../case.mjs').Env) => Response | Promise<Response>>} */
const OF_WORKERS = {
  identity: () => new Response(written(new workers.IdentityTransformStream())),
  fixed: () => new Response(written(new workers.FixedLengthStream(4))),
  async object({ r2 }) {
    await r2.put('not a trace', 'of the user');
    const object = await r2.get('not a trace');
    await r2.delete('not a trace');
    return new Response(object.body);
  },
  rewritten: () =>
    new workers.HTMLRewriter()
      .on('p', { element: (/** @type {any} */ element) => element.setInnerContent('new') })
      .transform(
        new Response('<p>old</p>', {
          headers: { 'content-type': 'text/html', 'cache-control': 'max-age=9' },
        }),
      ),
  compressed: async ({ base }) =>
    new Response((await fetch(`${base}/fixed`)).body?.pipeThrough(new CompressionStream('gzip'))),
  fetchedThrough: async ({ base }) => {
    const through = new workers.IdentityTransformStream();
    void (await fetch(`${base}/stream`)).body?.pipeTo(through.writable);
    return new Response(through.readable);
  },
};

/** How many chunks the client has, by its own word. */
const heard = { count: 0 };
const HEARD_MILLIS = 10_000;

/** Events of which each waits for the client to have the one before: whoever gathers them would wait for ever. */
function whenHeard() {
  heard.count = 0;
  return slowly(async (at) => {
    for (let waited = 0; heard.count < at && waited < HEARD_MILLIS; waited += CHUNK_MILLIS)
      await delay(CHUNK_MILLIS);
    if (heard.count < at) throw new Error('the client has not told of the last chunk');
    return at < CHUNKS ? `data: ${at}\n\n` : undefined;
  });
}

/** How many sources of bodies were cancelled, for the client to ask. */
const cancelled = { count: 0 };

/** `instrument`: what the client receives is what it would receive. @type {import('../case.mjs').Case[]} */
export const bodies = [
  {
    name: 'answers are byte for byte and header for header what they are without us',
    notIn: NOT_IN_PAGES,
    spans: Object.keys(RESPONSES).length + FETCHED,
    differs: 'which bodies can be watched is not the same everywhere',
    serve: (env) =>
      env.instrumented(
        (request) => {
          const make = RESPONSES[pathOf(request).slice(1)];
          return make ? make(env) : new Response('', { status: 500 });
        },
        optionsOf(env, { propagateTo: false, serverTiming: false }),
      ),
    client: (outside) => differences(outside, Object.keys(RESPONSES)),
    view({ client, runtime }) {
      const lost = LOST[runtime] ?? [];
      const kept = Object.fromEntries(Object.entries(client).filter(([name]) => !lost.includes(name)));
      return { kept, isLost: lost.every((name) => name in client) };
    },
    expected: { kept: {}, isLost: true },
  },
  {
    name: "Workers' own streams are what they are without us",
    notIn: onlyInWorkerd('only Workers have them'),
    spans: Object.keys(OF_WORKERS).length + 2,
    serve: (env) =>
      env.instrumented(
        (request) => OF_WORKERS[pathOf(request).slice(1)]?.(env),
        optionsOf(env, { propagateTo: false }),
      ),
    client: (outside) => differences(outside, Object.keys(OF_WORKERS)),
    view: ({ client }) => client,
    expected: {},
  },
  {
    name: 'a stream reaches the client chunk by chunk, and its end ends the span',
    notIn: NOT_IN_PAGES,
    spans: 1,
    serve: (env) =>
      env.instrumented((request) => {
        if (pathOf(request) === '/heard') return new Response(String(++heard.count));
        return new Response(whenHeard(), { headers: { 'content-type': 'text/event-stream' } });
      }, optionsOf(env)),
    async client({ ask, askBare }) {
      // Each chunk follows only when the client has told that it has the one before.
      const { text } = await ask('/', { onChunk: () => void askBare('/heard') });
      return text;
    },
    view: ({ client, arrived }) => ({
      client,
      isWhole: durationOf(arrived[0]?.request.resourceSpans[0].scopeSpans[0].spans[0]) >= STREAM_MILLIS - 5,
    }),
    expected: {
      client: Array.from({ length: CHUNKS }, (_, at) => `data: ${at}\n\n`).join(''),
      isWhole: true,
    },
  },
  {
    name: "a client that goes away ends the span, and the body's source hears of it",
    notIn: NOT_IN_PAGES,
    spans: 1,
    serve: (env) =>
      env.instrumented((request) => {
        if (pathOf(request) === '/cancelled') return new Response(String(cancelled.count));
        const onCancel = () => void cancelled.count++;
        return new Response(slowly((at) => `data: ${at}\n\n`, onCancel));
      }, optionsOf(env)),
    async client({ ask, askBare, until }) {
      const { status } = await ask('/', { cancelAfterChunks: 2 });
      await until(async () => (await askBare('/cancelled')).text === '1', 'the source was cancelled');
      return status;
    },
    view: ({ client, trees }) => [
      client,
      trees.map(({ name, status, attributes }) => [name, status, attributes?.['spandrel.body.end']]),
    ],
    expected: [200, [['GET', null, 'cancelled']]],
  },
  {
    name: 'a stream that fails half way is an error, and the client gets what it gets without us',
    notIn: { ...NOT_IN_PAGES, 'edge-runtime': 'its server ends with a body that fails' },
    spans: 1,
    serve: (env) =>
      env.instrumented(
        () =>
          new Response(
            slowly((at) => {
              if (at === 2) throw new TypeError('the source broke');
              return `data: ${at}\n\n`;
            }),
          ),
        optionsOf(env),
      ),
    client: async ({ ask, askBare }) => {
      const [watched, bare] = [await ask('/'), await askBare('/')];
      return { text: watched.text, isSame: JSON.stringify(watched) === JSON.stringify(bare) };
    },
    view: ({ client, trees: [root] }) => ({
      client,
      type: root?.attributes?.['error.type'],
      end: root?.attributes?.['spandrel.body.end'],
      message: root?.events?.[0]?.['exception.message'],
    }),
    expected: {
      client: { text: 'data: 0\n\ndata: 1\n\n', isSame: true },
      type: 'TypeError',
      end: 'failed',
      message: 'the source broke',
    },
  },
  {
    name: 'spans that end while a stream goes on belong to it',
    notIn: NOT_IN_PAGES,
    spans: 3,
    serve: (env) =>
      env.instrumented(
        (request) =>
          new Response(
            slowly((at) => {
              if (at === 2) return undefined;
              spanOf(request, `chunk ${at}`).end();
              return `data: ${at}\n\n`;
            }),
          ),
        optionsOf(env),
      ),
    client: async ({ ask }) => (await ask('/')).text,
    view: ({ trees }) => trees.map(({ name, children }) => [name, children?.map((child) => child.name)]),
    expected: [['GET', ['chunk 0', 'chunk 1']]],
  },
];
