import type { RequestListener } from 'node:http';
import type { Page } from '@playwright/test';
import { expect, type Site, test } from './support/fixtures.js';
import { attributeOf, type OtlpSpan } from './support/otlp.js';

declare global {
  var runFetches: () => Promise<Record<string, unknown>>;
  var failFetches: () => Promise<Record<string, unknown>>;
  var runExchanges: () => Promise<Record<string, unknown>>;
  var failExchanges: () => Promise<Record<string, unknown>>;
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
