/** Requests in every shape, and what the page sees of each. The page runs them with us and without us. */

const OWN = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
/** A port where nobody listens. */
const DEAD = 'http://127.0.0.1:1';

const seen = async (response) => ({
  status: response.status,
  type: response.type,
  text: await response.text(),
});

async function settled(task) {
  try {
    return await task();
  } catch (error) {
    return `${error?.name ?? error}`;
  }
}

const withOwn = { 'X-Own': '1' };

/** By the last part of the URL that each asks for. */
const FETCHES = {
  url: (url) => fetch(url),
  'url-object': (url) => fetch(new URL(url, location.href)),
  object: (url) => fetch(url, { headers: withOwn }),
  array: (url) => fetch(url, { headers: Object.entries(withOwn) }),
  headers: (url) => fetch(url, { headers: new Headers(withOwn) }),
  // No type allows it, and browsers do.
  iterable: (url) => fetch(url, { headers: /** @type {any} */ (new Map(Object.entries(withOwn))) }),
  inherited: (url) => fetch(url, Object.create({ method: 'POST', body: 'b', headers: withOwn })),
  request: (url) => fetch(new Request(url, { method: 'PUT', body: 'r', headers: withOwn })),
  'request-and-init': (url) =>
    fetch(new Request(url, { headers: { 'X-Own': 'lost' } }), {
      method: 'POST',
      body: 'b',
      headers: withOwn,
    }),
  'request-as-init': (url) => fetch(url, new Request(url, { method: 'DELETE', headers: withOwn })),
  'request-of-frame': (url) => {
    const frame = document.body.appendChild(document.createElement('iframe'));
    return fetch(
      new /** @type {typeof globalThis} */ (/** @type {unknown} */ (frame.contentWindow)).Request(
        new URL(url, location.href),
        { headers: withOwn },
      ),
    );
  },
  'no-referrer': (url) => fetch(new Request(url, { referrer: '' })),
  'other-referrer': (url) =>
    fetch(new Request(url, { referrer: '/elsewhere', referrerPolicy: 'unsafe-url' })),
  'empty-init': (url) => fetch(new Request(url, { referrer: '/elsewhere', headers: withOwn }), {}),
  form: (url) => fetch(url, { method: 'POST', body: new URLSearchParams({ a: '1' }) }),
  lowercase: (url) => fetch(url, { method: 'post' }),
  purge: (url) => fetch(url, { method: 'PURGE' }),
  own: (url) => fetch(url, { headers: { TraceParent: OWN } }),
  'own-array': (url) => fetch(url, { headers: [['traceparent', OWN]] }),
  'own-request': (url) => fetch(new Request(url, { headers: { traceparent: OWN } })),
  missing: (url) => fetch(url),
  broken: (url) => fetch(url),
};

globalThis.runFetches = async () => {
  const results = {};
  for (const [name, task] of Object.entries(FETCHES)) {
    results[name] = await settled(async () => seen(await task(`/echo/${name}`)));
  }
  const request = new Request('/echo/used', { method: 'POST', body: 'b' });
  results.used = [await settled(async () => seen(await fetch(request)))];
  results.used.push(request.bodyUsed, [...request.headers.keys()], await settled(() => fetch(request)));
  return results;
};

/** Those that end without an answer. */
globalThis.failFetches = async () => {
  const abort = new AbortController();
  const stop = (reason) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 50);
    return controller.signal;
  };
  abort.abort();
  return {
    dead: await settled(() => fetch(`${DEAD}/dead`)),
    aborted: await settled(() => fetch('/hang/aborted', { signal: abort.signal })),
    'aborted-later': await settled(() => fetch('/hang/aborted-later', { signal: stop() })),
    'aborted-request': await settled(() =>
      fetch(new Request('/hang/aborted-request', { signal: stop('had enough') })),
    ),
    'timed-out': await settled(() => fetch('/hang/timed-out', { signal: AbortSignal.timeout(50) })),
    header: await settled(() => fetch('/echo/header', { headers: { 'bad header': '1' } })),
    nowhere: await settled(() => fetch('http://')),
    data: await settled(async () => (await fetch('data:,text')).text()),
  };
};

const EVENTS = ['readystatechange', 'loadstart', 'progress', 'load', 'error', 'abort', 'timeout', 'loadend'];

/**
 * Opens, lets `prepare` have it, sends; what it fired and what it holds in the end.
 *
 * @param {string | URL} url
 * @param {{ method?: string, body?: any, isAsync?: boolean, xhr?: XMLHttpRequest, prepare?: (xhr: XMLHttpRequest) => unknown }} [options]
 */
function exchange(url, { method = 'GET', body, isAsync = true, xhr = new XMLHttpRequest(), prepare } = {}) {
  return new Promise((resolve) => {
    const fired = [];
    const result = () => ({
      fired: fired.filter((entry, index) => entry !== fired[index - 1]),
      status: xhr.status,
      answer: contentOf(xhr),
    });
    const note = ({ type }) => {
      fired.push(`${type} ${xhr.readyState} ${xhr.status}`);
      if (type !== 'loadend') return;
      for (const name of EVENTS) xhr.removeEventListener(name, note);
      if (isAsync) resolve(result());
    };
    for (const name of EVENTS) xhr.addEventListener(name, note);
    xhr.open(method, url, isAsync);
    prepare?.(xhr);
    let thrown;
    try {
      xhr.send(body);
    } catch (error) {
      thrown = error.name;
    }
    if (!isAsync) resolve({ ...result(), thrown });
  });
}

function contentOf(xhr) {
  const { response } = xhr;
  if (response instanceof Blob) return `blob ${response.size}`;
  if (response instanceof ArrayBuffer) return `buffer ${response.byteLength}`;
  return typeof response === 'string' ? response : JSON.stringify(response);
}

const typed = (responseType) => ({ prepare: (xhr) => (xhr.responseType = responseType) });
const carrying = (name, value) => ({ prepare: (xhr) => xhr.setRequestHeader(name, value) });

const EXCHANGES = {
  get: (url) => exchange(url),
  object: (url) => exchange(new URL(url, location.href)),
  post: (url) => exchange(url, { method: 'post', body: 'b' }),
  header: (url) => exchange(url, carrying('X-Own', '1')),
  own: (url) => exchange(url, carrying('TraceParent', OWN)),
  json: (url) => exchange(url, typed('json')),
  blob: (url) => exchange(url, typed('blob')),
  buffer: (url) => exchange(url, typed('arraybuffer')),
  missing: (url) => exchange(url),
  sync: (url) => exchange(url, { isAsync: false }),
  'throwing-listener': (url) =>
    exchange(url, {
      prepare(xhr) {
        xhr.onload = () => {
          throw new Error('of the page');
        };
      },
    }),
  'stopping-listener': (url) =>
    exchange(url, {
      prepare: (xhr) => xhr.addEventListener('load', (event) => event.stopImmediatePropagation()),
    }),
};

globalThis.runExchanges = async () => {
  const results = {};
  for (const [name, task] of Object.entries(EXCHANGES)) results[name] = await task(`/echo/${name}`);
  const xhr = new XMLHttpRequest();
  results.reused = [await exchange('/echo/first', { xhr }), await exchange('/echo/second', { xhr })];
  return results;
};

globalThis.failExchanges = async () => {
  const twice = new XMLHttpRequest();
  twice.open('GET', '/echo/twice');
  const done = new Promise((resolve) => {
    twice.onloadend = resolve;
  });
  twice.send();
  const second = await settled(() => twice.send());
  await done;
  const third = await settled(() => twice.send());

  // What was not sent is not aborted either.
  const given = new XMLHttpRequest();
  given.open('GET', '/echo/sent-after-all');
  given.abort();
  const sent = await settled(() => given.send());

  // `open` anew, while under way and when the answer is there.
  const again = new XMLHttpRequest();
  again.open('GET', '/hang/overtaken');
  again.send();
  await new Promise((/** @type {(done?: undefined) => void} */ resolve) => {
    const urls = ['/echo/last'];
    again.onreadystatechange = () => {
      if (again.readyState !== 4) return;
      const next = urls.pop();
      if (!next) return resolve();
      again.open('GET', next);
      again.send();
    };
    again.open('GET', '/echo/in-handler');
    again.send();
  });

  return {
    twice: [second, third],
    sent,
    unopened: await settled(() => new XMLHttpRequest().send()),
    again: again.responseText,
    dead: await exchange(`${DEAD}/dead`),
    'dead-sync': await exchange(`${DEAD}/dead-sync`, { isAsync: false }),
    aborted: await exchange('/hang/aborted', { prepare: (xhr) => setTimeout(() => xhr.abort(), 50) }),
    'timed-out': await exchange('/hang/timed-out', {
      prepare(xhr) {
        xhr.timeout = 50;
      },
    }),
    badly: await settled(() => new XMLHttpRequest().open('GET', 'http://')),
    alien: await settled(() => XMLHttpRequest.prototype.open.call({}, 'GET', '/')),
  };
};

/** With answers that nobody reads. */
globalThis.ask = {
  fetch: (url, init) => fetch(url, init).then((response) => response.status),
  xhr: (url) => exchange(url).then(({ status }) => status),
};
