import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucket } from './bucket/bucket.js';
import { checkNumbers, checkUrl, NUMBER_OPTIONS, type NumberOption } from './options.js';
import { start } from './start.js';

/** `start()` checks what it is given on a page alone: nothing begins on a server. */
Object.assign(globalThis, { location: new URL('https://shop.test/') });

const names = Object.keys(NUMBER_OPTIONS) as NumberOption[];

for (const name of names) {
  const [fallback, least, most] = NUMBER_OPTIONS[name];

  test(`options: ${name} takes its range, and its default is in it`, () => {
    assert.ok(least <= fallback && fallback <= most);
    for (const value of [least, fallback, most]) {
      assert.deepEqual(checkNumbers({ [name]: value }, [name]), { [name]: value });
    }
    assert.deepEqual(checkNumbers({}, [name]), { [name]: fallback });
  });

  test(`options: ${name} refuses anything else, naming it, what it got and what it takes`, () => {
    const around = [
      least - 1,
      most + 1,
      least + 0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '5',
      true,
      {},
      [],
    ];
    for (const value of around) {
      assert.throws(
        () => checkNumbers({ [name]: value }, [name]),
        (error: Error) =>
          error instanceof TypeError &&
          error.message.includes(`"${name}"`) &&
          error.message.includes(`${least} to ${most}`) &&
          error.message.includes('got '),
      );
    }
  });
}

for (const [name, options, expected] of [
  ['nothing', undefined, /takes an object of options, got undefined/],
  ['text', 'shop', /takes an object of options, got "shop"/],
  [
    'an unknown name',
    { service: 'a', endpoint: 'https://a.test', url: 1 },
    /has no option "url"; it takes service/,
  ],
  ['no service', { endpoint: 'https://a.test' }, /"service" takes a string of 1 to 200 characters, got null/],
  ['an empty service', { service: '', endpoint: 'https://a.test' }, /"service"/],
  ['a long service', { service: 'x'.repeat(201), endpoint: 'https://a.test' }, /"service"/],
  ['no endpoint', { service: 'a' }, /"endpoint" takes an http\(s\) URL or a path, .*got undefined/],
  ['another protocol', { service: 'a', endpoint: 'ftp://a.test' }, /"endpoint"/],
  ['javascript:', { service: 'a', endpoint: 'javascript:alert(1)' }, /"endpoint"/],
  ['credentials in the URL', { service: 'a', endpoint: 'https://u:p@a.test' }, /"endpoint"/],
  ['a number for an endpoint', { service: 'a', endpoint: 7 }, /"endpoint"/],
  [
    'text for a boolean',
    { service: 'a', endpoint: 'https://a.test', fetch: 'yes' },
    /"fetch" takes true or false/,
  ],
  ['a version that is a number', { service: 'a', endpoint: 'https://a.test', version: 1 }, /"version"/],
  ['a negative number', { service: 'a', endpoint: 'https://a.test', poolSize: -1 }, /"poolSize"/],
  ['a destination that is none', { service: 'a', destination: {} }, /"destination"/],
] as [string, never, RegExp][]) {
  test(`options: start() with ${name} is one clear error`, () => {
    assert.throws(() => start(options), { name: 'TypeError', message: expected });
  });
}

for (const [name, options, expected] of [
  ['nothing', {}, /"endpoint"/],
  ['endpoint and functions', { endpoint: 'https://a.test', requestUploads: async () => [] }, /"endpoint"/],
  ['requestUploads that is no function', { requestUploads: 'x' }, /"requestUploads" takes a function/],
  ['notify that is no function', { requestUploads: async () => [], notify: 1 }, /"notify" takes a function/],
  [
    'relay unknown',
    { endpoint: 'https://a.test', relay: 'maybe' },
    /"relay" takes "auto", "always" or "never"/,
  ],
  ['what 0.1 had: uploads', { endpoint: 'https://a.test', uploads: [] }, /no option "uploads"; it takes/],
  ['what 0.1 had: a reserve', { endpoint: 'https://a.test', poolReserve: 1 }, /no option "poolReserve"/],
  ['a project that is empty', { endpoint: 'https://a.test', project: '' }, /"project"/],
] as [string, never, RegExp][]) {
  test(`options: bucket() with ${name} is one clear error`, () => {
    assert.throws(() => bucket(options), { name: 'TypeError', message: expected });
  });
}

test('options: an endpoint loses its fragment', () => {
  assert.equal(checkUrl('endpoint', 'https://a.test/x?y=1#z'), 'https://a.test/x?y=1');
});

test('options: a path is of the page’s address; of its origin, where it has no address', () => {
  const { location } = globalThis;
  const resolved = (path: string, page: { location?: unknown; origin?: string }): string => {
    Object.assign(globalThis, { location: undefined, origin: undefined, ...page });
    try {
      return checkUrl('endpoint', path);
    } finally {
      Object.assign(globalThis, { location, origin: undefined });
    }
  };
  const at = (href: string, origin: string) => ({ location: { href }, origin });
  const site = 'https://shop.test';
  for (const [href, expected] of [
    [`${site}/a/b`, `${site}/spandrel`],
    ['about:srcdoc', `${site}/spandrel`],
    [`blob:${site}/9f86d081`, `${site}/spandrel`],
  ] as const) {
    assert.equal(resolved('/spandrel', at(href, site)), expected, href);
  }
  assert.equal(resolved('spandrel', at(`${site}/a/b`, site)), `${site}/a/spandrel`);
  assert.equal(resolved('//cdn.test/x', at(`${site}/`, site)), 'https://cdn.test/x');
  // Neither has what a path could be of: a server, a file, a sandboxed frame.
  for (const page of [{}, at('file:///a.html', 'null'), at('about:srcdoc', 'null')]) {
    assert.equal(resolved('/spandrel', page), '/spandrel');
    assert.throws(() => resolved('//cdn.test/x', page), /"endpoint"/);
    assert.throws(() => resolved('spandrel', page), /"endpoint"/);
  }
});

test('options: a hostile value cannot take the message over', () => {
  assert.throws(
    () => checkUrl('endpoint', `http://[${'x'.repeat(500)}`),
    (error: Error) => error.message.length < 250,
  );
});
