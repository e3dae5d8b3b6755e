import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RouteNames } from '../page-options.js';
import { createRouteName, isId } from './route-name.js';

const byDefault = createRouteName();
const on = (path: string): string => `https://shop.test${path}`;

const DEFAULTS: [path: string, name: string][] = [
  ['/', '/'],
  ['', '/'],
  ['/products', '/products'],
  ['/products/', '/products'],
  ['//products///new', '/products/new'],
  ['/products/42', '/products/:id'],
  ['/products/42/reviews/7?sort=new#top', '/products/:id/reviews/:id'],
  ['/users/ada@example.org/edit', '/users/:id/edit'],
  ['/users/ada%40example.org', '/users/:id'],
  ['/orders/order-12345', '/orders/:id'],
  ['/o/0190f7e2-8c1b-7def-8a2b-3c4d5e6f7a8b', '/o/:id'],
  ['/o/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/o/:id'],
  ['/o/B08N5WRWNW', '/o/:id'],
  ['/commit/14f260b9aa', '/commit/:id'],
  ['/x/V1StGXR8_Z5jdHi6B-myT', '/x/:id'],
  ['/x/cus_9s6XKzkNRiz8i3', '/x/:id'],
  ['/x/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9', '/x/:id'],
  ['/x/k3j4h5k3j4h5k3j4h5', '/x/:id'],
  ['/blog/2026-11-21', '/blog/:id'],
  ['/blog/2026-11', '/blog/:id'],
  ['/blog/2026-11-21T10:00:00Z', '/blog/:id'],
  ['/pages/17.html', '/pages/:id'],
  // Words stay.
  ['/de-AT/produkte', '/de-AT/produkte'],
  ['/en_US/about-us', '/en_US/about-us'],
  ['/api/v2/users', '/api/v2/users'],
  ['/docs/1.4.2/intro', '/docs/1.4.2/intro'],
  ['/how-to-build-a-house-in-2024', '/how-to-build-a-house-in-2024'],
  ['/Top-10-Places-In-Rome-2024', '/Top-10-Places-In-Rome-2024'],
  ['/phones/galaxy-s24-ultra-256gb', '/phones/galaxy-s24-ultra-256gb'],
  ['/facade/decade/accede', '/facade/decade/accede'],
  ['/UPPERCASE/README.md', '/UPPERCASE/README.md'],
  ['/@types/node', '/@types/node'],
  ['/index.html', '/index.html'],
  ['/caf%C3%A9', '/caf%C3%A9'],
  ['/%E0%A4%A', '/%E0%A4%A'],
  // Deep ones end.
  ['/a/b/c/d/e/f/g/h', '/a/b/c/d/e/f/g/h'],
  ['/a/b/c/d/e/f/g/h/i/j', '/a/b/c/d/e/f/g/h/*'],
  // Hash routers.
  ['/app/#/users/7?tab=1', '/users/:id'],
  ['/app/#!/users/7', '/users/:id'],
  ['/app/#/', '/'],
  ['/app/#section', '/app'],
];
for (const [path, name] of DEFAULTS) {
  test(`route name: ${path || 'nothing'} is ${name}`, () => {
    assert.equal(byDefault(on(path)), name);
  });
}

const PATTERNS = ['/', '/product/:id', '/product/:id/reviews', '/docs/*', '/shop/*/offers', '/über/uns'];
const PATTERNED: [path: string, name: string][] = [
  ['/', '/'],
  ['/product/some-slug', '/product/:id'],
  ['/product/some-slug/', '/product/:id'],
  ['/product/some-slug/reviews', '/product/:id/reviews'],
  ['/docs', '/docs/*'],
  ['/docs/a/b/c', '/docs/*'],
  ['/shop/de/offers', '/shop/*/offers'],
  ['/%C3%BCber/uns', '/über/uns'],
  ['/app#/product/7', '/product/:id'],
  // No pattern: the default.
  ['/product', '/product'],
  ['/product/7/other', '/product/:id/other'],
  ['/Product/some-slug', '/Product/some-slug'],
];
for (const [path, name] of PATTERNED) {
  test(`route name by patterns: ${path} is ${name}`, () => {
    assert.equal(createRouteName(PATTERNS)(on(path)), name);
  });
}

test('route name: the first pattern counts', () => {
  assert.equal(createRouteName(['/a/*', '/a/b'])(on('/a/b')), '/a/*');
});

test('route name by a function: its text counts, cut at 100 characters', () => {
  const name = createRouteName((url) => `tab ${url.searchParams.get('tab')}`);
  assert.equal(name(on('/?tab=3')), 'tab 3');
  assert.equal(createRouteName(() => 'x'.repeat(200))(on('/')).length, 100);
});

const BAD: [string, unknown][] = [
  ['undefined', () => undefined],
  ['nothing', () => ''],
  ['a number', () => 7],
  ['a promise', async () => 'late'],
  ['an exception', () => assert.fail('planted')],
];
for (const [what, names] of BAD) {
  test(`route name by a function that gives ${what}: the default`, () => {
    assert.equal(createRouteName(names as RouteNames)(on('/a/7')), '/a/:id');
  });
}

test('route name: a function may do to its URL what it likes', () => {
  const spoil = (url: URL): undefined => {
    url.pathname = '/spoilt';
  };
  assert.equal(createRouteName(spoil)(on('/a')), '/a');
});

test('route name: of what is no address', () => {
  for (const address of ['', 'no address', 'about:blank', 'about:srcdoc', 'blob:x', 'data:,x'])
    assert.match(byDefault(address), /^\//);
});

const segment = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('a', '7', '..', '%', '%zz'),
);

test('route name: of any address, begins with a slash, of at most 9 segments and 100 characters', () => {
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 30 }), fc.string(), (segments, hash) => {
      const name = byDefault(`https://a.test/${segments.join('/')}#${hash}`);
      assert.match(name, /^\//);
      assert.ok(name.length <= 100);
      assert.ok(name.split('/').length <= 10);
    }),
  );
});

test('route name: the name of a name is the name', () => {
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 12 }), (segments) => {
      const name = byDefault(`https://a.test/${segments.join('/')}`);
      fc.pre(name.length < 100);
      assert.equal(byDefault(on(name)), name);
    }),
  );
});

const hex = fc
  .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 8, maxLength: 64 })
  .filter((text) => /\d/.test(text));
const base64 = fc
  .uint8Array({ minLength: 24, maxLength: 60 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'))
  // What has no digit between letters cannot be told from words.
  .filter((text) => /[A-Za-z]\d[A-Z]|[a-z]\d[a-z][A-Z]/.test(text));
const date = fc
  .date({ min: new Date(0), max: new Date('2999-12-31'), noInvalidDate: true })
  .map((when) => when.toISOString());
const IDS: [string, fc.Arbitrary<string>][] = [
  ['number', fc.nat().map(String)],
  ['UUID', fc.uuid()],
  ['ULID', fc.ulid().filter((text) => /\d/.test(text))],
  ['hexadecimal number', hex],
  ['base64 text', base64],
  ['time', date],
  ['date', date.map((when) => when.slice(0, 10))],
  ['e-mail address', fc.emailAddress()],
];
for (const [what, ids] of IDS) {
  test(`route name: any ${what} is an id`, () => {
    fc.assert(
      fc.property(ids, (id) => {
        assert.equal(byDefault(on(`/things/${encodeURIComponent(id)}/edit`)), '/things/:id/edit');
      }),
    );
  });
}

test('route name: any slug of words and small numbers stays', () => {
  const word = fc.string({ unit: fc.constantFrom(...'ghijklmnopqrstuvwxyz'), minLength: 1, maxLength: 12 });
  const piece = fc.oneof({ weight: 3, arbitrary: word }, { weight: 1, arbitrary: fc.nat(9_999).map(String) });
  fc.assert(
    fc.property(word, fc.array(piece, { maxLength: 5 }), (first, rest) => {
      const slug = [first, ...rest].join('-');
      fc.pre(slug.length < 90);
      assert.equal(byDefault(on(`/${slug}`)), `/${slug}`);
    }),
  );
});

test('route name: long and nasty addresses take no time', () => {
  const nasty = [
    'a'.repeat(500_000),
    '1a'.repeat(250_000),
    'a-'.repeat(250_000),
    '/'.repeat(500_000),
    '/a'.repeat(250_000),
  ];
  const name = createRouteName(['/*/*/*/*/*/*/*/*/x', ...Array(100).fill('/:a/:b/:c/*')]);
  // Of this process, which others on the machine do not make longer; what is not linear takes minutes.
  const before = process.cpuUsage();
  for (const path of nasty) for (const of of [byDefault, name]) of(on(`/${path}`));
  for (const path of nasty) isId(path);
  const { user } = process.cpuUsage(before);
  assert.ok(user < 10_000_000, `${user} µs`);
});
