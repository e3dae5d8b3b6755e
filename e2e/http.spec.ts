import type { RequestListener } from 'node:http';
import type { Page } from '@playwright/test';
import { expect, type Site, test } from './support/fixtures.js';
import { attributeOf, type OtlpSpan } from './support/otlp.js';

declare global {
  var runFetches: () => Promise<Record<string, unknown>>;
  var failFetches: () => Promise<Record<string, unknown>>;
  var runExchanges: () => Promise<Record<string, unknown>>;
  var failExchanges: () => Promise<Record<string, unknown>>;
  var ask: {
    fetch(url: string, init?: RequestInit): Promise<number>;
    xhr(url: string): Promise<number>;
  };
  var compare: (
    names: readonly string[],
    otherOrigin: string,
    options: Record<string, unknown>,
  ) => Promise<Record<'theirs' | 'ours', Record<string, unknown>[]>>;
  var running: import('../src/start.js').Spandrel;
  var handed: unknown[][];
  var answers: unknown[];
  var calls: string[];
  var before: unknown[];
  var looked: unknown;
  var look: () => unknown;
  var reader: ReadableStreamDefaultReader | undefined;
}

const OWN = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const ERROR = 2;
const CLIENT = 3;

/** Fetch and XHR, and nothing else. */
const HTTP_ONLY = {
  fetch: true,
  xhr: true,
  routes: false,
  interactions: false,
  resources: false,
  longFrames: false,
  webVitals: false,
  errors: false,
};
const REQUESTS = '<script src="/e2e/requests.js"></script>';

/** Status by the last part of the path. */
const STATUSES: Record<string, number> = { missing: 404, broken: 500 };

/** Answers below `/echo/` with what it was sent, but for the trace context, which it keeps; below `/hang/` never. */
function echoes(site: Site, names: readonly string[]) {
  const heard = new Map<string, string | undefined>();
  const echo: RequestListener = async (req, res) => {
    const name = (req.url ?? '').split(/[/?]/)[2] ?? '';
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    const { traceparent, tracestate, ...headers } = req.headers;
    if (req.method !== 'OPTIONS') heard.set(name, traceparent as string | undefined);
    const { 'x-own': own, referer, 'content-type': type } = headers;
    // The page's own URL is another each time.
    const from = referer?.endsWith('/elsewhere') ? 'elsewhere' : Boolean(referer);
    res.writeHead(STATUSES[name] ?? 200, {
      'access-control-allow-origin': req.headers.origin ?? '*',
      'access-control-allow-headers': 'traceparent',
      'content-type': 'application/json',
    });
    res.end(
      JSON.stringify({
        method: req.method,
        own,
        from,
        type,
        body: Buffer.concat(chunks).toString(),
        tracestate,
      }),
    );
  };
  for (const name of names) site.host.route(`/echo/${name}`, echo);
  for (const name of names) site.host.route(`/hang/${name}`, () => {});
  return heard;
}

/** What `run` gives in a page without us, and in one with us. */
async function withoutAndWith<T>(page: Page, site: Site, run: () => Promise<T>) {
  await page.goto(
    site.serve(`<!doctype html><title>Without</title><link rel="icon" href="data:,"><body>${REQUESTS}`),
  );
  const without = await page.evaluate(run);
  await site.open(page, HTTP_ONLY, { body: REQUESTS });
  return [without, await page.evaluate(run)] as const;
}

const nameOf = ({ attributes }: OtlpSpan): string =>
  String(attributeOf(attributes, 'url.full')).split('/').at(-1) as string;

/** The spans by the last part of their URL, once there are as many. */
async function spansByName(site: Site, count: number): Promise<Map<string, OtlpSpan>> {
  await expect.poll(async () => (await site.spans()).length).toBe(count);
  return new Map((await site.spans()).map((span) => [nameOf(span), span]));
}

const exceptions = (page: Page) =>
  page.evaluate(() => {
    const { exceptions, errors } = globalThis.spandrel.instance?.stats() ?? {};
    return [exceptions, errors];
  });

const outcomeOf = ({ attributes, status }: OtlpSpan): unknown[] => [
  attributeOf(attributes, 'http.response.status_code'),
  attributeOf(attributes, 'error.type'),
  status?.code ?? 0,
  attributeOf(attributes, 'spandrel.aborted'),
];

const STATUS_IN_CONSOLE = /Failed to load resource|status of \d+/;
const DEAD_IN_CONSOLE = /127\.0\.0\.1:1\/|Cross-Origin Request Blocked|ERR_|Synchronous XMLHttpRequest/;

test('fetch in every shape: the same with us as without, and traceparent on each', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(STATUS_IN_CONSOLE);
  const names = [
    ...['url', 'url-object', 'object', 'array', 'headers', 'iterable', 'inherited', 'request', 'used'],
    ...[
      'request-and-init',
      'request-as-init',
      'request-of-frame',
      'no-referrer',
      'other-referrer',
      'empty-init',
    ],
    ...['form', 'lowercase', 'purge', 'own', 'own-array', 'own-request', 'missing', 'broken'],
  ];
  const heard = echoes(site, names);
  const [without, withUs] = await withoutAndWith(page, site, () => globalThis.runFetches());
  expect(withUs).toEqual(without);
  expect(JSON.stringify(without['inherited'])).toContain('POST');

  // The one that was used before is refused by the browser, and has a span nonetheless.
  await expect.poll(async () => (await site.spans()).length).toBe(names.length + 1);
  const spans = (await site.spans()).filter(({ attributes }) =>
    attributeOf(attributes, 'http.response.status_code'),
  );
  for (const span of spans) {
    const name = nameOf(span);
    const expected = name.startsWith('own') ? OWN : `00-${span.traceId}-${span.spanId}-01`;
    expect(heard.get(name), name).toBe(expected);
    expect(span.kind, name).toBe(CLIENT);
  }
  const byName = new Map(spans.map((span) => [nameOf(span), span]));
  expect([...byName.keys()].sort()).toEqual([...names].sort());
  expect(byName.get('request')?.name).toBe('PUT');
  expect(byName.get('purge')?.name).toBe('HTTP');
  const methods = (name: string) => {
    const { attributes } = byName.get(name) as OtlpSpan;
    return [
      attributeOf(attributes, 'http.request.method'),
      attributeOf(attributes, 'http.request.method_original'),
    ];
  };
  expect(methods('purge')).toEqual(['_OTHER', 'PURGE']);
  expect(methods('lowercase')).toEqual(['POST', 'post']);
  expect(methods('request')).toEqual(['PUT', undefined]);
  expect(outcomeOf(byName.get('missing') as OtlpSpan)).toEqual([404, '404', ERROR, undefined]);
  expect(outcomeOf(byName.get('broken') as OtlpSpan)).toEqual([500, '500', ERROR, undefined]);
  expect(outcomeOf(byName.get('url') as OtlpSpan)).toEqual([200, undefined, 0, undefined]);
  expect(await exceptions(page)).toEqual([0, []]);
});

test('fetch without an answer: the same with us as without; to stop it is no error', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(DEAD_IN_CONSOLE);
  echoes(site, ['aborted', 'aborted-later', 'aborted-request', 'timed-out', 'header']);
  const [without, withUs] = await withoutAndWith(page, site, () => globalThis.failFetches());
  expect(withUs).toEqual(without);
  expect(without['aborted-request']).toBe('had enough');

  const spans = await spansByName(site, 6);
  const outcomes = Object.fromEntries([...spans].map(([name, span]) => [name, outcomeOf(span)]));
  const aborted = [undefined, undefined, 0, true];
  expect(outcomes).toEqual({
    dead: [undefined, 'TypeError', ERROR, undefined],
    aborted,
    'aborted-later': aborted,
    'aborted-request': aborted,
    'timed-out': [undefined, 'TimeoutError', ERROR, undefined],
    header: [undefined, 'TypeError', ERROR, undefined],
  });
  // The page's mistakes are not ours.
  expect(await exceptions(page)).toEqual([0, []]);
});

test('XMLHttpRequest: the same with us as without, and traceparent on each', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(STATUS_IN_CONSOLE, DEAD_IN_CONSOLE, /of the page/);
  const names = [
    ...['get', 'object', 'post', 'header', 'own', 'json', 'blob', 'buffer', 'missing', 'sync'],
    ...['throwing-listener', 'stopping-listener', 'first', 'second'],
  ];
  const heard = echoes(site, names);
  const [without, withUs] = await withoutAndWith(page, site, () => globalThis.runExchanges());
  expect(withUs).toEqual(without);

  const spans = await spansByName(site, names.length);
  expect([...spans.keys()].sort()).toEqual([...names].sort());
  for (const [name, span] of spans) {
    const expected = name === 'own' ? OWN : `00-${span.traceId}-${span.spanId}-01`;
    expect(heard.get(name), name).toBe(expected);
    expect(span.kind, name).toBe(CLIENT);
    const expectedOutcome =
      name === 'missing' ? [404, '404', ERROR, undefined] : [200, undefined, 0, undefined];
    expect(outcomeOf(span), name).toEqual(expectedOutcome);
  }
  expect(spans.get('post')?.name).toBe('POST');
  expect(await exceptions(page)).toEqual([0, []]);
});

test('XMLHttpRequest without an answer: the same with us as without', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(DEAD_IN_CONSOLE);
  echoes(site, ['twice', 'sent-after-all', 'overtaken', 'in-handler', 'last', 'aborted', 'timed-out']);
  const [without, withUs] = await withoutAndWith(page, site, () => globalThis.failExchanges());
  expect(withUs).toEqual(without);

  const spans = await spansByName(site, 9);
  const outcomes = Object.fromEntries([...spans].map(([name, span]) => [name, outcomeOf(span)]));
  const answered = [200, undefined, 0, undefined];
  const aborted = [undefined, undefined, 0, true];
  expect(outcomes).toEqual({
    twice: answered,
    'sent-after-all': answered,
    'in-handler': answered,
    last: answered,
    overtaken: aborted,
    aborted,
    dead: [undefined, 'error', ERROR, undefined],
    'dead-sync': [undefined, 'NetworkError', ERROR, undefined],
    'timed-out': [undefined, 'timeout', ERROR, undefined],
  });
  expect(await exceptions(page)).toEqual([0, []]);
});

/** The page's own start, with options that no attribute can hold. */
const started = (site: Site, options: string): string =>
  `<link rel="icon" href="data:,"><script src="/dist/script.js"></script>${REQUESTS}
  <script>
    globalThis.running = spandrel.start({
      ...${JSON.stringify({ ...HTTP_ONLY, service: site.service, endpoint: '/spandrel' })},
      documentLoad: false, scheduledDelayMillis: 0, ${options}
    });
  </script>`;

test('traceparent goes where it is allowed, with the span that is active as the parent', async ({
  page,
  site,
}) => {
  const heard = echoes(
    site,
    [
      'fetch-own',
      'fetch-origin',
      'fetch-pattern',
      'fetch-other',
      'fetch-opaque',
      'outer-fetch',
      'outer-xhr',
    ].flatMap((name) => [name, name.replace('fetch', 'xhr')]),
  );
  const { port } = new URL(site.host.origin);
  const origins = {
    own: '',
    origin: `http://localhost:${port}`,
    pattern: `http://api.localhost:${port}`,
    other: `http://other.localhost:${port}`,
  };
  await page.goto(
    site.serve(started(site, `propagateTo: ['${origins.origin}', /^http:\\/\\/api\\.localhost:/]`)),
  );
  await page.evaluate(async (origins) => {
    for (const [name, origin] of Object.entries(origins)) {
      for (const by of ['fetch', 'xhr'] as const) await globalThis.ask[by](`${origin}/echo/${by}-${name}`);
    }
    // There the browser would drop it.
    await globalThis.ask.fetch(`${origins.origin}/echo/fetch-opaque`, { mode: 'no-cors' });
    const xhr = new XMLHttpRequest();
    const done = new Promise((resolve) => xhr.addEventListener('load', resolve));
    xhr.open('GET', '/echo/outer-xhr');
    await globalThis.running.tracer.startActiveSpan('outer', async (span) => {
      const answer = globalThis.ask.fetch('/echo/outer-fetch');
      xhr.send();
      span.end();
      await answer;
    });
    await done;
  }, origins);

  await expect.poll(async () => (await site.spans()).length).toBe(12);
  const spans = await site.spans();
  for (const span of spans.filter(({ name }) => name !== 'outer')) {
    const name = nameOf(span);
    const isSent = !/other|opaque/.test(name);
    const expected = isSent ? `00-${span.traceId}-${span.spanId}-01` : undefined;
    expect(heard.get(name), name).toBe(expected);
    const outer = spans.find(({ name }) => name === 'outer');
    expect(span.parentSpanId, name).toBe(name.startsWith('outer') ? outer?.spanId : undefined);
  }
  expect(outcomeOf(spans.find((span) => nameOf(span) === 'fetch-opaque') as OtlpSpan)).toEqual([
    ...[undefined, undefined, 0, undefined],
  ]);
});

test('what the page hands to fetch is handed on: bodies, signals and options as they are', async ({
  page,
  site,
}) => {
  const head = `<script>
    globalThis.handed = [];
    globalThis.answers = [];
    const original = fetch;
    window.fetch = (...args) => {
      // What is ours goes to the network.
      if (!answers.length) return original(...args);
      handed.push(args);
      return answers.pop();
    };
  </script>`;
  await page.goto(site.serve(`${head}${started(site, '')}`));
  const results = await page.evaluate(async () => {
    const { handed, answers } = globalThis;
    const call = (...args: unknown[]) => (fetch as (...args: unknown[]) => unknown)(...args);
    const answering = (answer: unknown, ...args: unknown[]) => {
      answers.push(answer);
      return call(...args);
    };
    const body = new ReadableStream();
    const { signal } = new AbortController();
    const headers = { 'x-own': '1' };
    const init = { method: 'POST', body, duplex: 'half', signal, headers, priority: 'low', ours: 1 };
    const copy = { ...init };
    answering(Promise.resolve(new Response()), '/a', init, 'third');
    const [[url, passed, third]] = handed as unknown as [[string, typeof init, string]];
    const { headers: passedHeaders, ...rest } = passed;
    const isCopied = Object.entries(rest).every(([name, value]) => copy[name as keyof typeof copy] === value);

    const opaque = { mode: 'no-cors' };
    const request = new Request('/b', { method: 'POST', body: 'b' });
    answering(Promise.resolve(new Response()), '/b', opaque);
    answering(Promise.resolve(new Response()), request);
    // Stand-ins that answer oddly.
    const odd = [undefined, 7, answering(Promise.resolve(undefined), '/c')];
    odd[0] = answering(undefined, '/c');
    odd[1] = answering(7, '/c');
    return {
      url,
      third,
      isCopied,
      names: Object.keys(rest),
      headerNames: Object.keys(passedHeaders),
      isUnchanged: init.headers === headers && Object.keys(headers).length === 1 && !body.locked,
      isOpaqueKept: handed[1]?.[1] === opaque,
      request: [handed[2]?.[0] === request, request.bodyUsed, [...request.headers.keys()]],
      odd: [odd[0], odd[1], await odd[2]],
      exceptions: globalThis.running.stats().exceptions,
    };
  });
  expect(results).toEqual({
    url: '/a',
    third: 'third',
    isCopied: true,
    names: ['method', 'body', 'duplex', 'signal', 'priority', 'ours'],
    headerNames: ['x-own', 'traceparent'],
    isUnchanged: true,
    isOpaqueKept: true,
    request: [true, false, ['content-type']],
    odd: [undefined, 7, undefined],
    exceptions: 0,
  });
  await expect.poll(async () => (await site.spans()).length).toBe(6);
});

test('a stream: its span is stored while it flows, and cancelling reaches the server', async ({
  page,
  site,
}) => {
  let closed = false;
  site.host.route('/stream', (_req, res) => {
    res.on('close', () => {
      closed = true;
    });
    const flow = (): void => {
      while (!res.destroyed && res.write(Buffer.alloc(64 * 1024)));
      if (!res.destroyed) res.once('drain', flow);
    };
    flow();
  });
  await site.open(page, HTTP_ONLY);
  await page.evaluate(async () => {
    const { body } = await fetch('/stream');
    const reader = body?.getReader();
    await reader?.read();
    globalThis.reader = reader;
  });
  await site.expectStored(['GET']);
  expect(closed).toBe(false);
  await page.evaluate(() => globalThis.reader?.cancel());
  await expect.poll(() => closed).toBe(true);
});

test('wrapped before us and after us: everybody is called, and shutdown leaves the others alone', async ({
  page,
  site,
}) => {
  const wrapping = (by: string): string => `<script>
    globalThis.calls ??= [];
    {
      const { fetch: original } = window;
      window.fetch = function (...args) {
        if (String(args[0]).includes('/echo/')) calls.push('${by} fetch');
        return original.apply(this, args);
      };
      const { send } = XMLHttpRequest.prototype;
      XMLHttpRequest.prototype.send = function (...args) { calls.push('${by} send'); return send.apply(this, args); };
    }
  </script>`;
  const originals = `<script>
    globalThis.before = [fetch, XMLHttpRequest.prototype.open, XMLHttpRequest.prototype.send];
    globalThis.texts = before.map(String);
  </script>`;
  echoes(site, ['fetch', 'xhr']);
  await site.open(page, HTTP_ONLY, {
    head: wrapping('first') + originals,
    body: wrapping('last') + REQUESTS,
  });
  const results = await page.evaluate(async () => {
    const askBoth = async () => {
      await globalThis.ask.fetch('/echo/fetch');
      await globalThis.ask.xhr('/echo/xhr');
      return globalThis.calls.splice(0);
    };
    const wrapped = [fetch, XMLHttpRequest.prototype.send];
    const during = await askBoth();
    await globalThis.spandrel.instance?.shutdown();
    return {
      during,
      after: await askBoth(),
      areOthersKept: wrapped[0] === fetch && wrapped[1] === XMLHttpRequest.prototype.send,
      isOpenBack: globalThis.before[1] === XMLHttpRequest.prototype.open,
    };
  });
  const calls = ['last fetch', 'first fetch', 'last send', 'first send'];
  expect(results).toEqual({ during: calls, after: calls, areOthersKept: true, isOpenBack: true });
  await site.expectStored(['GET', 'GET']);
});

test('unseen: the functions look like the page’s own, leave no listener, and come back', async ({
  page,
  site,
}) => {
  echoes(site, ['seen']);
  const look = `<script>
    globalThis.look = () => [window.fetch, ...['open', 'send', 'setRequestHeader'].map((name) => XMLHttpRequest.prototype[name])]
      .map((its) => [its.name, its.length, String(its).includes('native code'), Object.keys(its), 'prototype' in its]);
    globalThis.before = [fetch, XMLHttpRequest.prototype.open, XMLHttpRequest.prototype.send];
    globalThis.looked = look();
  </script>`;
  await site.open(page, HTTP_ONLY, { head: look, body: REQUESTS });
  const results = await page.evaluate(async () => {
    const now = globalThis.look();
    const listeners: string[] = [];
    const xhr = new XMLHttpRequest();
    xhr.addEventListener = function (type: string, ...rest: unknown[]) {
      listeners.push(type);
      return EventTarget.prototype.addEventListener.call(this, type, ...(rest as [never]));
    };
    xhr.removeEventListener = function (type: string, ...rest: unknown[]) {
      listeners.splice(listeners.indexOf(type), 1);
      return EventTarget.prototype.removeEventListener.call(this, type, ...(rest as [never]));
    };
    const done = new Promise((resolve) => {
      xhr.onloadend = resolve;
    });
    xhr.open('GET', '/echo/seen');
    xhr.send();
    const during = listeners.length;
    await done;
    await globalThis.spandrel.instance?.shutdown();
    const after = [fetch, XMLHttpRequest.prototype.open, XMLHttpRequest.prototype.send];
    return {
      isSame: JSON.stringify(now) === JSON.stringify(globalThis.looked),
      during,
      left: listeners.length,
      areBack: after.every((its, index) => its === globalThis.before[index]),
    };
  });
  expect(results).toEqual({ isSame: true, during: 5, left: 0, areBack: true });
});

test('a page that has locked fetch and XMLHttpRequest: it works, untraced', async ({ page, site }) => {
  echoes(site, ['fetch', 'xhr']);
  const head = `<script>
    Object.freeze(XMLHttpRequest.prototype);
    Object.defineProperty(window, 'fetch', { value: fetch, writable: false, configurable: false });
  </script>`;
  await site.open(page, HTTP_ONLY, { head, body: REQUESTS });
  const statuses = await page.evaluate(async () => [
    await globalThis.ask.fetch('/echo/fetch'),
    await globalThis.ask.xhr('/echo/xhr'),
  ]);
  expect(statuses).toEqual([200, 200]);
  await page.evaluate(() => globalThis.spandrel.instance?.tracer.startSpan('after').end());
  await site.expectStored(['after']);
  expect(await exceptions(page)).toEqual([0, []]);
});

const REDACTED = 'query values are not stored';
const NO_STATUS = 'theirs is 0, and the conventions want one only if one was received';
const REDIRECTED = 'theirs is where the answer came from, which url.full does not say';
/** By request and attribute, why ours is another than that of OpenTelemetry's packages. All others are the same. */
const DIFFERENCES: Record<string, Record<string, string>> = {
  'fetch query': { 'url.full': REDACTED },
  'xhr query': { 'url.full': REDACTED },
  'fetch dead': { 'http.response.status_code': NO_STATUS },
  'fetch aborted': { 'http.response.status_code': NO_STATUS },
  'fetch opaque': { 'http.response.status_code': NO_STATUS },
  'fetch moved': { 'server.address': REDIRECTED },
};

test('attributes are those of OpenTelemetry’s own instrumentations', async ({ page, site, allowConsole }) => {
  allowConsole(STATUS_IN_CONSOLE, DEAD_IN_CONSOLE);
  const both = [
    'url',
    'query',
    'post',
    'lowercase',
    'purge',
    'missing',
    'broken',
    'cross',
    'moved',
    'dead',
    'aborted',
  ];
  const names = [...both.flatMap((name) => [`fetch ${name}`, `xhr ${name}`]), 'fetch opaque'];
  echoes(site, [...both, 'opaque']);
  await site.run(page, `import '/e2e/official.mjs';`);
  const other = site.host.origin.replace('127.0.0.1', 'localhost');
  site.host.route('/moved', (_req, res) => res.writeHead(302, { location: `${other}/echo/moved` }).end());
  const options = { ...HTTP_ONLY, service: site.service, endpoint: '/spandrel', documentLoad: false };
  const { theirs, ours } = await page.evaluate(
    ([names, other, options]) => globalThis.compare(names, other, options),
    [names, other, options] as const,
  );
  expect(theirs.length).toBe(names.length);
  const differences: Record<string, string[]> = {};
  for (const [index, name] of names.entries()) {
    const differing = Object.entries(theirs[index] ?? {})
      .filter(([key, value]) => value !== undefined && ours[index]?.[key] !== value)
      .map(([key]) => key);
    if (differing.length) differences[name] = differing.sort();
  }
  const expected = Object.entries(DIFFERENCES).map(([name, why]) => [name, Object.keys(why).sort()]);
  expect(differences).toEqual(Object.fromEntries(expected));
});

test('an address that we ask ourselves is in no trace, whoever asks', async ({
  page,
  site,
  allowConsole,
}) => {
  allowConsole(STATUS_IN_CONSOLE);
  await site.open(page, HTTP_ONLY, { body: REQUESTS });
  const make = (name: string) =>
    page.evaluate((name) => globalThis.spandrel.instance?.tracer.startSpan(name).end(), name);
  await make('a');
  await site.expectStored(['a']);
  await page.evaluate(async () => {
    await globalThis.ask.fetch('/spandrel');
    await globalThis.ask.xhr('/spandrel');
  });
  await make('b');
  await site.expectStored(['a', 'b']);
});

test('requests that the app ignores have no span and no header, and a hook sets attributes on the others', async ({
  page,
  site,
  allowConsole,
}) => {
  // A 404, and a port that nobody may use.
  allowConsole(/Failed to load resource|Cross-Origin Request Blocked/, /127\.0\.0\.1:1\//);
  const heard = echoes(site, ['health', 'kept', 'xhr', 'missing']);
  const code = `
    import { start } from 'spandrel';
    const sdk = start({
      service: ${JSON.stringify(site.service)}, endpoint: '/spandrel', scheduledDelayMillis: 0,
      ...${JSON.stringify({ ...HTTP_ONLY, documentLoad: false })},
      ignoreUrls: ['/echo/health', /never/],
      onRequest(span, { method, url, answer }) {
        const type = answer instanceof XMLHttpRequest ? answer.getResponseHeader('content-type') : answer?.headers.get('content-type');
        span.setAttribute('app.seen', [method, url.pathname, type].join(' '));
        fetch('/echo/never');
        if (url.pathname.endsWith('missing')) throw new Error('planted');
      },
    });
    await fetch('/echo/health');
    await (await fetch('/echo/kept', { method: 'post' })).text();
    await fetch('/echo/missing');
    await fetch('http://127.0.0.1:1/').catch(() => {});
    await new Promise((resolve) => {
      const xhr = new XMLHttpRequest();
      xhr.open('GET', '/echo/xhr');
      xhr.onloadend = resolve;
      xhr.send();
    });
    globalThis.exceptions = sdk.stats().exceptions;`;
  site.host.route('/echo/never', (_, res) => res.end());
  await site.run(page, code);
  await site.expectStored(['GET', 'GET', 'GET', 'POST']);
  const seen = (await site.spans()).map(({ attributes }) => attributeOf(attributes, 'app.seen')).sort();
  expect(seen).toEqual([
    'GET / ',
    'GET /echo/missing application/json',
    'GET /echo/xhr application/json',
    'post /echo/kept application/json',
  ]);
  expect(heard.get('health')).toBeUndefined();
  expect(heard.get('kept')).toMatch(/^00-/);
  expect(await page.evaluate('exceptions')).toBe(1);
});
