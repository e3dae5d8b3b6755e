import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { runtimeOf } from './runtime.js';
import { describeAnswer, serverSpanOf } from './server-span.js';
import { withServerTiming } from './server-timing.js';

const server = runtimeOf({});
const workerd = runtimeOf({ navigator: { userAgent: 'Cloudflare-Workers' } });

test('server span: what the conventions ask for, and not who the client is', () => {
  const request = new Request('http://shop.example:8787/cart/7?user=ann&page=2#top', {
    method: 'POST',
    headers: { 'user-agent': 'Firefox', 'x-forwarded-for': '192.0.2.1', 'cf-connecting-ip': '192.0.2.1' },
  });
  assert.deepEqual(serverSpanOf(request, server), {
    name: 'POST',
    attributes: {
      'http.request.method': 'POST',
      'url.scheme': 'http',
      'url.path': '/cart/7',
      'url.query': 'user=ann&page=2',
      'server.address': 'shop.example',
      'server.port': 8787,
      'user_agent.original': 'Firefox',
    },
  });
  const { attributes } = serverSpanOf(new Request('https://shop.example/'), server);
  assert.deepEqual(attributes, {
    'http.request.method': 'GET',
    'url.scheme': 'https',
    'url.path': '/',
    'server.address': 'shop.example',
    'server.port': 443,
  });
});

test('server span: a method that could be anything is no part of the name', () => {
  const { name, attributes } = serverSpanOf(new Request('https://shop.example/', { method: 'BREW' }), server);
  assert.equal(name, 'HTTP');
  assert.equal(attributes['http.request.method'], '_OTHER');
  assert.equal(attributes['http.request.method_original'], 'BREW');
});

test('server span: what Cloudflare tells', () => {
  const headers = { 'cf-ray': '7d0a-FRA' };
  for (const [httpProtocol, version] of [
    ['HTTP/1.1', '1.1'],
    ['HTTP/2', '2'],
    ['HTTP/3', '3'],
    ['', undefined],
  ]) {
    const request = Object.assign(new Request('https://shop.example/', { headers }), {
      cf: { httpProtocol },
    });
    const { attributes } = serverSpanOf(request, workerd);
    assert.equal(attributes['network.protocol.version'], version);
    assert.equal(attributes['faas.trigger'], 'http');
    assert.equal(attributes['faas.invocation.id'], '7d0a-FRA');
  }
  const { attributes } = serverSpanOf(new Request('https://shop.example/', { headers }), server);
  assert.equal(attributes['faas.invocation.id'], undefined, 'anybody may have sent it');
});

const CONTEXT = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
const VALUE = `traceparent;desc="00-${CONTEXT.traceId}-${CONTEXT.spanId}-01"`;
const html = (headers: Record<string, string> = {}, status = 200) =>
  new Response(status === 304 ? null : '<p>', {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', ...headers },
  });
const timing = (response: Response) => withServerTiming(response, CONTEXT).headers.get('server-timing');

test('Server-Timing: on HTML documents, beside what is there', () => {
  assert.equal(timing(html()), VALUE);
  assert.equal(timing(html({}, 404)), VALUE);
  assert.equal(timing(html({ 'server-timing': 'db;dur=3' })), `db;dur=3, ${VALUE}`);
  for (const type of ['application/json', 'text/plain', 'text/htmlx', '']) {
    assert.equal(timing(html({ 'content-type': type })), null, type);
  }
  assert.equal(timing(html({}, 304)), null);
});

test('Server-Timing: not where a cache would give one trace to all', () => {
  for (const control of ['no-store', 'no-cache, max-age=60', 'private, no-cache', 'max-age=0', 'private']) {
    assert.equal(timing(html({ 'cache-control': control })), VALUE, control);
  }
  for (const control of ['max-age=60', 'public, s-maxage=1', 'private, max-age="600"', 'Max-Age = 5']) {
    assert.equal(timing(html({ 'cache-control': control })), null, control);
  }
  assert.equal(timing(html({ expires: 'Thu, 01 Dec 2050 16:00:00 GMT' })), null);
  assert.equal(timing(html({ 'last-modified': 'Thu, 01 Dec 2022 16:00:00 GMT' })), null);
  assert.equal(
    timing(html({ 'last-modified': 'Thu, 01 Dec 2022 16:00:00 GMT', 'cache-control': 'max-age=0' })),
    VALUE,
  );
});

test('Server-Timing: what another server has sent encoded is left as it is', async () => {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html').setHeader('content-encoding', 'gzip');
    response.end(gzipSync('<p>hello</p>'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const fetched = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(withServerTiming(fetched, CONTEXT), fetched);
    assert.equal(await fetched.text(), '<p>hello</p>');
  } finally {
    server.close();
  }
});

test('Server-Timing: what is immutable is copied, what is not is the same', async () => {
  const mutable = html();
  assert.equal(withServerTiming(mutable, CONTEXT), mutable);
  const immutable = await fetch('data:text/html,<p>hello</p>');
  const copy = withServerTiming(immutable, CONTEXT);
  assert.notEqual(copy, immutable);
  assert.equal(copy.headers.get('server-timing'), VALUE);
  assert.equal(await copy.text(), '<p>hello</p>');
  const used = await fetch('data:text/html,<p>hello</p>');
  await used.text();
  assert.equal(withServerTiming(used, CONTEXT), used);
});

test('answers: the body is not looked at, as that alone changes what some runtimes send', () => {
  const answer = html();
  Object.defineProperty(answer, 'body', { get: () => assert.fail('looked at') });
  const span = { setAttribute() {}, updateName() {}, setStatus() {} };
  describeAnswer(span as never, 'GET', answer, undefined);
  assert.equal(withServerTiming(answer, CONTEXT), answer);
});
