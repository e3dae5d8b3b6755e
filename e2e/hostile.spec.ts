import type { Page } from '@playwright/test';
import { expect, type Site, test } from './support/fixtures.js';
import { attributeOf, type OtlpSpan } from './support/otlp.js';

/** What a page does to the platform: `before` our script, `after` it. */
interface Hostility {
  name: string;
  before?: string;
  after?: string;
  /** Why nothing of it can be in the bucket; the page is unharmed all the same. */
  silent?: string;
}

const PATCHES = `
  const { fetch: realFetch, XMLHttpRequest: RealXhr } = window;
  // Our own requests pass through, where a patch does not say what it wraps.
  const isOurs = (url) => /spandrel|\\/s3\\//.test(url);
  window.fetch = function (...args) { if (!isOurs(args[0])) say('patched fetch'); return realFetch.apply(this, args); };
  window.XMLHttpRequest = class extends RealXhr {
    open(...args) { say('patched open'); return super.open(...args); }
  };
  const { send } = RealXhr.prototype;
  RealXhr.prototype.send = function (...args) { say('patched send'); return send.apply(this, args); };
  for (const method of ['pushState', 'replaceState']) {
    const real = history[method];
    history[method] = function (...args) { say('patched ' + method); return real.apply(this, args); };
  }
  const { addEventListener: listen } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (type, ...args) {
    if (type === 'probe') say('patched addEventListener');
    return listen.call(this, type, ...args);
  };`;

const HOSTILITIES: Hostility[] = [
  { name: 'nothing' },
  {
    name: 'frozen prototypes',
    before: `for (const one of [EventTarget, Event, XMLHttpRequest, History, Promise, Function, Array, Map, Set,
      Object, Error, Performance, PerformanceObserver, Request, Response, Headers, Navigator, Document, Element])
      Object.freeze(one.prototype);
      Object.freeze(history); Object.freeze(performance); Object.freeze(navigator); Object.freeze(console);
      Object.freeze(JSON); Object.freeze(Object); Object.freeze(Promise);`,
  },
  {
    name: 'fetch, history and XMLHttpRequest that cannot be replaced',
    before: `for (const name of ['fetch', 'XMLHttpRequest', 'addEventListener'])
      Object.defineProperty(window, name, { value: window[name], writable: false, configurable: false });
      for (const name of ['pushState', 'replaceState'])
        Object.defineProperty(history, name, { value: history[name], writable: false, configurable: false });
      for (const name of ['open', 'send'])
        Object.defineProperty(XMLHttpRequest.prototype, name, { writable: false, configurable: false });`,
  },
  { name: 'patches before', before: PATCHES },
  { name: 'patches after', after: PATCHES },
  {
    name: 'no performance entries',
    before: `for (const name of ['getEntries', 'getEntriesByType', 'getEntriesByName'])
      delete Performance.prototype[name];
      delete window.PerformanceObserver; delete window.PerformanceResourceTiming;`,
  },
  {
    name: 'performance entries that throw',
    before: `for (const name of ['getEntries', 'getEntriesByType', 'getEntriesByName'])
      Performance.prototype[name] = () => { throw new Error(name); };
      window.PerformanceObserver = class { constructor() { throw new Error('observer'); } };`,
  },
  {
    name: 'prototypes with enumerable junk',
    before: `Array.prototype.junk = Object.prototype.junk = function () { throw new Error('junk'); };
      Object.prototype.extra = 'text'; String.prototype.more = 1; Function.prototype.even = 2;`,
  },
  {
    name: 'another Date',
    before: `const RealDate = Date;
      window.Date = class extends RealDate { constructor() { super(0); } static now() { return NaN; } };`,
    silent: 'nobody knows when',
  },
  {
    name: 'no Date.now',
    before: `window.Date = function () { return this; };`,
    silent: 'nobody knows when',
  },
  { name: 'no microtasks', before: 'delete window.queueMicrotask;', silent: 'web-vitals cannot do without' },
  {
    name: 'JSON.stringify that answers nothing',
    before: 'JSON.stringify = () => undefined;',
    silent: 'what is sent is JSON',
  },
  {
    name: 'JSON.stringify that throws',
    before: `JSON.stringify = JSON.parse = () => { throw new Error('json'); };`,
    silent: 'what is sent is JSON',
  },
  {
    name: 'Promise with a species that throws',
    before: `Object.defineProperty(Promise, Symbol.species, { get() { throw new Error('species'); } });`,
    silent: 'no promise of the page can be waited for',
  },
  {
    name: 'another Promise',
    before: `window.Promise = class Another extends Promise { then(...args) { return super.then(...args); } };`,
  },
  {
    name: 'much of the platform gone',
    before: `for (const name of ['structuredClone', 'requestIdleCallback', 'CompressionStream',
      'DecompressionStream', 'scheduler', 'BroadcastChannel', 'trustedTypes', 'navigation', 'fetchLater',
      'ReadableStream', 'Request', 'reportError'])
      try { delete window[name]; } catch {}`,
  },
  {
    name: 'storage that throws',
    before: `for (const name of ['indexedDB', 'localStorage', 'sessionStorage'])
      Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });
      for (const name of ['locks', 'sendBeacon', 'connection', 'userAgent'])
        Object.defineProperty(navigator, name, { get() { throw new DOMException('no', 'SecurityError'); } });`,
  },
  {
    name: 'listeners that throw',
    before: `for (const type of ['click', 'popstate', 'load', 'error', 'unhandledrejection', 'pagehide',
      'visibilitychange', 'pointerdown', 'keydown', 'pageshow', 'probe'])
      for (const target of [window, document])
        for (const capture of [true, false])
          target.addEventListener(type, () => { throw new Error('listener of ' + type); }, { capture });`,
  },
  {
    name: 'addEventListener that throws for what pages seldom want',
    before: `const { addEventListener } = EventTarget.prototype;
      EventTarget.prototype.addEventListener = function (type, ...args) {
        if (/page|visib|freeze|resume|unload|online|navigate/.test(type)) throw new Error('no ' + type);
        return addEventListener.call(this, type, ...args);
      };`,
    silent: 'who cannot listen does not begin',
  },
];

/** What a page does, and all that it can see of it, as lines of text. Nothing in here may depend on what was broken. */
const BEHAVIOUR = `
  const wait = (millis) => new NativePromise((resolve) => nativeTimeout(resolve, millis));
  const attempt = async (name, task) => {
    try { say(name + ': ' + (await task())); } catch (error) { say(name + ' throws ' + error?.name + ' ' + error?.message); }
  };
  const run = async () => {
    await attempt('fetch', () => nativeThen(fetch('/echo'), (answer) => answer.text()));
    await attempt('fetch of nothing', () => nativeThen(fetch('/nothing'), ({ status }) => status));
    await attempt('fetch rejected', () => nativeThen(fetch('http://127.0.0.1:1/'), () => 'answered'));
    await attempt('fetch misused', () => nativeThen(fetch(), () => 'answered'));
    await attempt('fetch answers a promise', () => fetch('/echo') instanceof NativePromise);
    for (const one of [fetch, history.pushState, XMLHttpRequest.prototype.open, addEventListener])
      say('function ' + one.name + ' ' + one.length);
    await attempt('xhr', () => new NativePromise((resolve) => {
      const seen = [];
      const request = new XMLHttpRequest();
      for (const type of ['loadstart', 'readystatechange', 'load', 'loadend', 'error'])
        request.addEventListener(type, function (event) { seen.push(type + (this === request) + request.readyState); });
      request.onloadend = () => resolve(seen.join() + request.responseText + request.status);
      request.open('GET', '/echo');
      request.send();
    }));
    await attempt('xhr misused', () => new XMLHttpRequest().send());
    await attempt('push', () => { history.pushState({ a: 1 }, '', '#one'); return history.state.a + location.hash; });
    await attempt('replace', () => { history.replaceState({ a: 2 }, '', '#two'); return history.state.a + location.hash; });
    await attempt('push elsewhere', () => history.pushState(null, '', 'http://other.invalid/'));
    await attempt('back', async () => {
      const popped = new NativePromise((resolve) => { onpopstate = (event) => resolve('state ' + event.state); });
      history.back();
      return popped;
    });
    const button = document.querySelector('button');
    const seen = [];
    const gone = () => seen.push('gone');
    button.addEventListener('click', gone);
    button.removeEventListener('click', gone);
    button.addEventListener('click', function (event) { seen.push(this === button, event.isTrusted, event.eventPhase); });
    button.addEventListener('click', { handleEvent(event) { seen.push('object'); event.preventDefault(); } });
    button.addEventListener('click', () => { throw new Error('of a click'); });
    button.addEventListener('click', (event) => { event.stopPropagation(); seen.push('last'); }, { once: true });
    button.click();
    button.click();
    say('click ' + seen.join());
    await attempt('probe', () => { const target = new EventTarget(); target.addEventListener('probe', () => say('probed')); target.dispatchEvent(new Event('probe')); });
    nativeTimeout(() => { throw new TypeError('of a timer'); });
    NativePromise.reject(new RangeError('of a promise'));
    const picture = document.createElement('img');
    await attempt('picture', () => new NativePromise((resolve) => {
      picture.onload = picture.onerror = ({ type }) => resolve(type);
      picture.src = '/icon.svg';
    }));
    await wait(150);
    const keys = [];
    for (const key in { own: 1 }) keys.push(key);
    for (const key in []) keys.push(key);
    say('keys ' + keys.join());
  };`;

const FIRST = `<script>
  const lines = [];
  const say = (line) => void lines.push(line);
  const NativePromise = Promise;
  const nativeTimeout = setTimeout;
  const nativeThen = (promise, task) => new NativePromise((resolve, reject) =>
    promise.then((value) => { try { resolve(task(value)); } catch (error) { reject(error); } }, reject));
  addEventListener('error', ({ message }) => say('error ' + message), true);
  addEventListener('unhandledrejection', ({ reason }) => say('rejection ' + reason), true);
  ${BEHAVIOUR}
</script>`;
const LAST = `<script>
  onload = async () => {
    // As late as whoever waits for the load to be over.
    await wait(50);
    await run();
    document.documentElement.dataset.log = lines.join('\\n');
  };
</script>`;

const scriptOf = (code = ''): string => (code ? `<script>{${code}}</script>` : '');

/** In our place: that a script has loaded is an event too. */
const EMPTY = '<script src="data:text/javascript,"></script>';

/** @param tag our script, or one that does nothing. */
async function logOf(page: Page, site: Site, { before, after }: Hostility, tag: string): Promise<string> {
  const head = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
    <link rel="icon" href="data:,">${FIRST}${scriptOf(before)}${tag}${scriptOf(after)}</head>`;
  const url = site.serve(`${head}<body><button id="act">Act</button>${LAST}</body></html>`);
  await page.goto(url);
  // Not by evaluation: that needs some of what is broken here.
  const log = await page.locator('html[data-log]').getAttribute('data-log');
  return (log ?? '').replaceAll(url, 'PAGE');
}

/**
 * A log's lines, last those that come when they come: nobody awaits a rejection or what a timer throws, so that their
 * place among the others is the network's affair, and the machine's.
 */
function linesOf(log: string): string[] {
  const lines = log.split('\n');
  const isUnawaited = (line: string): boolean => /^(rejection |error .*of a timer)/.test(line);
  return [...lines.filter((line) => !isUnawaited(line)), ...lines.filter(isUnawaited).sort()];
}

/** Lines that only one of two logs has, or has elsewhere. */
function difference(name: string, without: string, withUs: string): string[] {
  const [before, after] = [linesOf(without), linesOf(withUs)];
  if (before.join('\n') === after.join('\n')) return [];
  const found = [
    ...before.filter((line) => !after.includes(line)).map((line) => `${name}: lacks ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `${name}: has ${line}`),
  ];
  return found.length ? found : [`${name}: in another order, or number: ${without}\n\nwith us: ${withUs}`];
}

function expectSane(spans: readonly OtlpSpan[], sinceMillis: number): void {
  const hour = 3_600_000;
  for (const { name, startTimeUnixNano, endTimeUnixNano, attributes } of spans) {
    const [start, end] = [Number(startTimeUnixNano) / 1e6, Number(endTimeUnixNano) / 1e6];
    expect(end, `${name} ends after it started`).toBeGreaterThanOrEqual(start);
    expect(start, name).toBeGreaterThan(sinceMillis - hour);
    expect(end, name).toBeLessThan(Date.now() + hour);
    expect(String(attributeOf(attributes, 'url.full') ?? ''), name).not.toMatch(/NaN|\[object/);
  }
}

test('hostile pages behave with us as without us, and what is traced of them is sane', async ({
  page,
  site,
  allowConsole,
  browserName,
}) => {
  test.setTimeout(120_000);
  // The last of them keeps our script from beginning, which is said as any mistake in its tag; so is what is missing.
  const flaws =
    /^warning: spandrel: nothing is traced: (queueMicrotask|JSON, Promise, Date, performance, crypto or addEventListener) is missing/;
  allowConsole(/^(?!.*(spandrel|dist))/s, /: no (online|visibilitychange)/, flaws);
  site.host.route('/echo', (_req, res) => void res.end('echo'));
  const since = Date.now();
  const differences: string[] = [];
  const threw: string[] = [];
  for (const hostility of HOSTILITIES) {
    const { name } = hostility;
    await test.step(name, async () => {
      const without = await logOf(page, site, hostility, EMPTY);
      expect(without.split('\n').length, name).toBeGreaterThan(20);
      const tag = `<script src="/dist/script.js" data-service="${site.service}" data-endpoint="/spandrel"
        data-scheduled-delay-millis="0"></script>
        <script>try {
          spandrel.instance?.tracer.startSpan('${name}').end();
          spandrel.recordException(new Error('caught'));
          spandrel.instance?.stats();
          spandrel.flush();
        } catch (error) { document.documentElement.dataset.threw = error.stack; }</script>`;
      differences.push(...difference(name, without, await logOf(page, site, hostility, tag)));
      const thrown = await page.locator('html').getAttribute('data-threw');
      if (thrown) threw.push(`${name}: ${thrown}`);
    });
  }
  expect.soft(differences, 'the page saw what it sees without us').toEqual([]);
  expect.soft(threw, 'our own functions throw nothing').toEqual([]);
  await page.goto('about:blank');
  const expected = HOSTILITIES.filter(({ silent }) => !silent).map(({ name }) => name);
  const missing = async (): Promise<string[]> => {
    const names = (await site.spans()).map(({ name }) => name);
    return expected.filter((name) => !names.includes(name));
  };
  await expect.poll(missing, { message: `traced in ${browserName}` }).toEqual([]);
  expectSane(await site.spans(), since);
});
