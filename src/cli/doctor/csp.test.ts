import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowsUrl, connectSources, policiesOf } from './csp.js';

const PAGE = 'https://shop.example';
const allows = (source: string, url: string, origin = PAGE): boolean =>
  allowsUrl(source.split(' '), new URL(url), origin);

test('csp: sources match as browsers match them', () => {
  const yes: [source: string, url: string][] = [
    ['*', 'https://a.example/'],
    ["'self'", 'https://shop.example/x'],
    ['https:', 'https://a.example/'],
    ['http:', 'https://a.example/'],
    ['a.example', 'https://a.example/x'],
    ['https://a.example', 'https://a.example/x'],
    ['https://a.example/', 'https://a.example/x'],
    ['https://*.example', 'https://a.b.example/'],
    ['https://a.example:*', 'https://a.example:8443/'],
    ['https://a.example:8443', 'https://a.example:8443/'],
    ['https://a.example/in/', 'https://a.example/in/x'],
    ['https://a.example/in', 'https://a.example/in'],
    ['http://a.example', 'https://a.example/'],
    ["'none' https://a.example", 'https://a.example/'],
  ];
  for (const [source, url] of yes) assert.ok(allows(source, url), `${source} ${url}`);
  const no: [source: string, url: string][] = [
    ["'none'", 'https://a.example/'],
    ['', 'https://a.example/'],
    ["'self'", 'https://a.example/'],
    ["'self'", 'http://shop.example/'],
    ['https:', 'http://a.example/'],
    ['a.example', 'http://a.example/'],
    ['https://a.example', 'https://b.example/'],
    ['https://*.example', 'https://example/'],
    ['https://a.example', 'https://a.example:8443/'],
    ['https://a.example/in', 'https://a.example/in/x'],
    ['https://a.example', 'https://a.example.evil.example/'],
    ["'nonce-a'", 'https://a.example/'],
    ['data:', 'https://a.example/'],
  ];
  for (const [source, url] of no) assert.ok(!allows(source, url), `${source} ${url}`);
});

test('csp: connect-src, else default-src, else nothing; the first of a name counts', () => {
  assert.deepEqual(connectSources("default-src 'none'; Connect-Src a b; connect-src c"), ['a', 'b']);
  assert.deepEqual(connectSources("script-src 'self'; default-src a"), ['a']);
  assert.equal(connectSources("script-src 'self'"), undefined);
  assert.deepEqual(connectSources('connect-src'), []);
});

test('csp: headers and documents hold several policies', () => {
  const html = `<html><head><META content='connect-src &#39;self&#39;' http-equiv="content-security-policy">
    <meta name="content-security-policy" content="no"></head><body><meta http-equiv=content-security-policy content=late>`;
  assert.deepEqual(policiesOf('a b, c', html), ['a b', 'c', "connect-src 'self'"]);
  assert.deepEqual(policiesOf(undefined, ''), []);
});
