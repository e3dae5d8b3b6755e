import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AllowedOrigins, createOriginRule } from './origin.js';

const ENDPOINT = 'https://api.example/spandrel';

function allows(allowed: AllowedOrigins, origin?: string, headers: Record<string, string> = {}): boolean {
  const request = new Request(ENDPOINT, {
    headers: { ...headers, ...(origin === undefined ? {} : { origin }) },
  });
  return createOriginRule('allowedOrigins', allowed, false)(request);
}

/** What somebody else can register, serve or write, and what browsers write differently. */
const NEVER_SHOP = [
  'http://shop.example',
  'https://shop.example.evil',
  'https://shop.example.evil.example',
  'https://evilshop.example',
  'https://evil-shop.example',
  'https://shop.example:8443',
  'https://shop.example:443',
  'https://shop.example.',
  'https://SHOP.example',
  'https://shop.example/',
  'https://shop.example@evil.example',
  'https://evil.example#https://shop.example',
  'https://evil.example?https://shop.example',
  'https://evil.example/https://shop.example',
  'https://shop%2eexample',
  'https://shop.example, https://evil.example',
  'https://evil.example https://shop.example',
  ' https://shop.example.evil',
  'wss://shop.example',
  'file://',
  'chrome-extension://shop.example',
  'shop.example',
  '*',
  'null',
  '',
];

test('origins: an exact origin is that and nothing like it', () => {
  assert.equal(allows(['https://shop.example'], 'https://shop.example'), true);
  assert.equal(allows(['https://shop.example:8443'], 'https://shop.example:8443'), true);
  assert.equal(allows(['http://localhost:5173'], 'http://localhost:5173'), true);
  for (const origin of [...NEVER_SHOP, 'https://a.shop.example']) {
    assert.equal(allows(['https://shop.example'], origin), false, origin);
  }
});

test('origins: a star is any subdomain, at any depth, and nothing like one', () => {
  const family = ['https://*.shop.example'];
  for (const origin of [
    'https://a.shop.example',
    'https://a.b.shop.example',
    'https://pr-7_x.shop.example',
  ]) {
    assert.equal(allows(family, origin), true, origin);
  }
  assert.equal(allows(['https://*.shop.example:8443'], 'https://a.shop.example:8443'), true);
  assert.equal(allows(['https://*.shop.example:8443'], 'https://a.shop.example'), false);
  for (const origin of [
    ...NEVER_SHOP,
    'https://shop.example',
    'https://.shop.example',
    'https://a..shop.example',
    'https://a.shop.example.evil',
    'http://a.shop.example',
    'http://aa.shop.example',
    'httpx://a.shop.example',
    'https://a.shop.example:8443',
    'https://evil.example/.shop.example',
    'https://evil.example#.shop.example',
    'https://evil.example?a.shop.example',
    'https://evil@a.shop.example',
    'https://evil.example:80.shop.example',
    'https://A.shop.example',
    'https://a.shop.example.',
    'https://a%2e.shop.example',
    'https://a\\.shop.example',
  ]) {
    assert.equal(allows(family, origin), false, origin);
  }
});

test('origins: a list is of origins as browsers write them, and says how', () => {
  const refused: [unknown, RegExp][] = [
    ['https://Shop.example', /it takes "https:\/\/shop.example", as browsers write it/],
    ['https://shop.example/', /it takes "https:\/\/shop.example"/],
    ['https://shop.example/path?q', /it takes "https:\/\/shop.example"/],
    ['https://shop.example:443', /it takes "https:\/\/shop.example"/],
    ['https://bücher.example', /it takes "https:\/\/xn--bcher-kva.example"/],
    ['shop.example', /origins such as/],
    ['null', /origins such as/],
    ['*', /origins such as/],
    ['https://*', /origins such as/],
    ['https://*.', /origins such as/],
    ['https://*.com', /origins such as/],
    ['https://*.1.2.3.4', /origins such as/],
    ['https://*.*.example', /origins such as/],
    ['https://a.*.example', /origins such as|as browsers/],
    ['https://*.shop.example/', /origins such as/],
    ['*.shop.example', /origins such as/],
    ['//*.shop.example', /origins such as/],
    [/shop/, /origins such as/],
    [7, /origins such as/],
  ];
  for (const [origin, message] of refused) {
    assert.throws(() => allows([origin as string]), message, String(origin));
  }
});

test('origins: international names are compared as they are sent', () => {
  assert.equal(allows(['https://xn--bcher-kva.example'], 'https://xn--bcher-kva.example'), true);
  assert.equal(allows(['https://xn--bcher-kva.example'], 'https://bcher.example'), false);
});

test('origins: a function decides by true alone, a promise of it is none', () => {
  assert.equal(
    allows((origin) => /^https:\/\/[a-z]+\.shop\.example$/.test(origin), 'https://a.shop.example'),
    true,
  );
  for (const answer of [undefined, null, 1, 'yes', {}, Promise.resolve(true)]) {
    assert.equal(
      allows(() => answer as never, 'https://a.example'),
      false,
      String(answer),
    );
  }
});

test('origins: none, and an opaque one, pass only where they are said or proven', () => {
  assert.equal(allows(['https://shop.example']), false);
  assert.equal(allows('*'), true);
  assert.equal(allows(['https://shop.example'], 'null'), false);
  assert.equal(allows([], 'null', { 'sec-fetch-site': 'same-origin' }), true);
  for (const site of ['same-site', 'cross-site', 'none', '']) {
    assert.equal(allows([], 'null', { 'sec-fetch-site': site }), false, site);
  }
  assert.equal(
    allows((origin) => origin === 'null', 'null'),
    true,
  );
});

test('origins: the endpoint’s own is allowed, by scheme, host and port', () => {
  assert.equal(allows([], 'https://api.example'), true);
  for (const origin of ['http://api.example', 'https://api.example:444', 'https://a.api.example']) {
    assert.equal(allows([], origin), false, origin);
  }
});
