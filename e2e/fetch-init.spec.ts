/**
 * Whatever a page gives `fetch` and `XMLHttpRequest`, the server gets what it would without us, and each of the page's
 * getters is asked as often. Tried of the init: accessors of a class, private fields, members that nobody can enumerate,
 * inherited ones, a proxy, a frozen one, a Request; of headers: each of their shapes, subclasses, generators, getters; of
 * requests: subclasses that say something else; of URLs: objects; of XMLHttpRequest: the same. We do not touch
 * `sendBeacon`.
 */
import { expect, test } from './support/fixtures.js';

test('fetch and XMLHttpRequest: whatever they are given, the server gets the same with us', async ({
  page,
  site,
}) => {
  let told: string[] = [];
  site.host.route('/echo', async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    const { 'x-a': a = '-', 'x-b': b = '-', referer = '-', 'content-type': type = '-' } = req.headers;
    if (String(req.headers['traceparent'] ?? 'mine') !== 'mine') told.push(String(req.url));
    // Firefox would parse the answer of an XMLHttpRequest as XML.
    res.setHeader('content-type', 'text/plain');
    res.end([req.method, req.url, a, b, body, referer, type].join(' '));
  });
  const ask = () =>
    page.evaluate(async () => {
      const log: string[] = [];
      const seen = <T>(name: string, value: T): T => {
        log.push(name);
        return value;
      };
      /** As private fields, which know their object alone. */
      const known = new WeakMap<object, string>();
      class Options {
        constructor() {
          known.set(this, 'POST');
        }
        get method() {
          return seen('method', known.get(this));
        }
        get headers() {
          return seen('headers', { 'x-a': '1' });
        }
        get body() {
          return seen('body', 'b');
        }
        get signal() {
          return seen('signal', undefined);
        }
      }
      const hidden = Object.defineProperties(
        {},
        { method: { value: 'POST' }, body: { value: 'b' }, headers: { value: { 'x-a': '1' } } },
      );
      const proxied = new Proxy(
        { method: 'POST', body: 'b', headers: { 'x-a': '1' } },
        {
          get: (target, name) =>
            Reflect.has(target, name) ? seen(`proxy ${String(name)}`, Reflect.get(target, name)) : undefined,
        },
      );
      class Own extends Headers {
        override get() {
          return 'never asked';
        }
      }
      class Signed extends Request {
        override get method() {
          return 'DELETE';
        }
        override get headers() {
          return new Headers({ 'x-b': 'never sent' });
        }
        get [Symbol.toStringTag]() {
          return 'Signed';
        }
      }
      function* pairs(): Generator<[string, string]> {
        yield ['x-a', seen('pair', '1')];
      }
      const headersOf = (headers: unknown) => ['/echo', { method: 'PUT', headers }];
      const calls: Record<string, () => unknown[]> = {
        class: () => ['/echo', new Options()],
        'a subclass with fields': () => [
          '/echo',
          Object.assign(new (class extends Options {})(), { mode: 'cors' }),
        ],
        hidden: () => ['/echo', hidden],
        inherited: () => ['/echo', Object.create({ method: 'POST', body: 'b', headers: { 'x-a': '1' } })],
        proxy: () => ['/echo', proxied],
        frozen: () => [
          '/echo',
          Object.freeze({ method: 'POST', body: 'b', headers: Object.freeze({ 'x-a': '1' }) }),
        ],
        'frozen and hidden': () => [
          '/echo',
          Object.freeze(Object.defineProperties({}, { headers: { value: { 'x-a': '1' } } })),
        ],
        'a request for an init': () => [
          '/echo',
          new Request('/other', { method: 'PUT', headers: { 'x-a': '1' } }),
        ],
        'class on a request': () => [new Request('/echo', { method: 'PUT', body: 'q' }), new Options()],
        'a request': () => [
          new Request('/echo', { method: 'PUT', body: 'q', headers: { 'x-a': '1' }, referrer: '/from' }),
        ],
        'a request and nothing': () => [new Request('/echo', { referrer: '/from' }), {}],
        'a request and undefined': () => [new Request('/echo', { referrer: '/from' }), { method: undefined }],
        'a subclass of Request': () => [
          new Signed('/echo', { method: 'PATCH', body: 'q', headers: { 'x-a': '1' } }),
        ],
        'a list of headers': () =>
          headersOf([
            ['X-A', '1'],
            ['x-b', '2'],
          ]),
        'one-shot headers': () => headersOf(pairs()),
        'a subclass of Headers': () => headersOf(new Own({ 'x-a': '1' })),
        'a map': () => headersOf(new Map([['x-a', '1']])),
        'headers with getters': () =>
          headersOf({
            get 'x-a'() {
              return seen('x-a', '1');
            },
          }),
        'headers that are null': () => headersOf(null),
        'headers that are text': () => headersOf('x-a: 1'),
        'an init that is text': () => ['/echo', 'POST'],
        'an init that is null': () => ['/echo', null],
        'a method in small letters': () => ['/echo', { method: 'put', body: 'b' }],
        'an object for a URL': () => [{ toString: () => seen('url', '/echo') }],
        'a URL': () => [new URL('/echo', location.href)],
        stream: () => [
          '/echo',
          {
            method: 'POST',
            headers: { 'x-a': '1' },
            body: new URLSearchParams({ a: 'b' }),
            priority: 'high',
            window: null,
          },
        ],
        'members that nobody knows': () => [
          '/echo',
          { method: 'POST', body: 'b', next: { revalidate: 1 }, cf: {} },
        ],
        'a getter that throws': () => [
          '/echo',
          {
            get method() {
              throw new RangeError('own');
            },
          },
        ],
        own: () => ['/echo', { headers: { TraceParent: 'mine', 'x-a': '1' } }],
      };
      const all: Record<string, unknown> = {};
      for (const [name, args] of Object.entries(calls)) {
        log.length = 0;
        let answer: string;
        try {
          answer = await (await fetch(...(args() as Parameters<typeof fetch>))).text();
        } catch (error) {
          answer = String((error as Error).name);
        }
        all[name] = [answer, [...log].sort()];
      }
      const text = (name: string, value: string) => ({ toString: () => seen(name, value) });
      const xhr = (open: unknown[], header: unknown[]) =>
        new Promise((resolve) => {
          log.length = 0;
          const request = new XMLHttpRequest();
          request.onloadend = () => resolve([request.responseText, [...log]]);
          try {
            Reflect.apply(request.open, request, open);
            Reflect.apply(request.setRequestHeader, request, header);
            request.send('b');
          } catch (error) {
            resolve([String((error as Error).name), [...log]]);
          }
        });
      all['xhr'] = await xhr(['POST', '/echo'], ['x-a', '1']);
      all['xhr of objects'] = await xhr(
        [text('method', 'PUT'), text('url', '/echo')],
        [text('name', 'X-A'), '1'],
      );
      all['xhr of a URL'] = await xhr(['GET', new URL('/echo', location.href)], ['x-a', '1']);
      all['xhr of a symbol'] = await xhr([Symbol('GET'), '/echo'], ['x-a', '1']);
      all['xhr of too little'] = await xhr(['GET'], ['x-a', '1']);
      return all;
    });
  const url = site.serve('<!doctype html><title>Without</title><link rel="icon" href="data:,">');
  await page.goto(url);
  const without = await ask();
  expect(told).toEqual([]);
  expect(without['class']).toEqual([
    expect.stringMatching(/^POST \/echo 1 - b/),
    ['body', 'headers', 'method', 'signal'],
  ]);
  await site.open(page, { fetch: true, xhr: true });
  const own = page.url();
  told = [];
  const withUs = JSON.parse(JSON.stringify(await ask()).replaceAll(own, url));
  expect(withUs).toEqual(without);
  expect(told.length).toBeGreaterThan(20);
  await page.goto('about:blank');
});
